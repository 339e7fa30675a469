/*
 * fuzz_kafka.h
 *	  The fuzz target's decoders of Kafka's protocol, and what both its files use.
 */
#ifndef FUZZ_KAFKA_H
#define FUZZ_KAFKA_H

#include "postgres.h"

/* A message: its structure's number, its version, its bytes. */
extern void fuzz_kafka_message(char *bytes, size_t length, bool repair);

/* A request without its size. */
extern void fuzz_kafka_frame(char *bytes, size_t length, bool repair);

/* What a producer sends for a partition. */
extern void fuzz_kafka_batch(char *bytes, size_t length, bool repair);

/* A promise of the code under test. */
static inline void
must(bool kept, const char *promise)
{
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", promise);
	abort();
}

/* Touch every byte, so that one that is not there is met. */
static inline void
touch(const char *bytes, int32 length)
{
	volatile char sink = 0;

	for (int32 i = 0; i < length; i++)
		sink ^= bytes[i];
}

#endif							/* FUZZ_KAFKA_H */
