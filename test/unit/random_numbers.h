/*
 * random_numbers.h
 *	  Numbers at random for unit tests: the same seed gives the same ones on every machine.
 *
 * Included once in a test program.
 */
#ifndef RANDOM_NUMBERS_H
#define RANDOM_NUMBERS_H

static uint64 random_state = UINT64CONST(0x9e3779b97f4a7c15);

/* A number from 0 to n - 1. */
static pg_attribute_unused() uint32
pick(uint32 n)
{
	random_state = random_state * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	return (uint32) (random_state >> 33) % n;
}

/* 64 bits; the state must not be 0. */
static pg_attribute_unused() uint64
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

#endif							/* RANDOM_NUMBERS_H */
