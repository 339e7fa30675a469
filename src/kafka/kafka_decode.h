/*
 * kafka_decode.h
 *	  From the bytes of a message to its C structure.
 */
#ifndef KAFKA_DECODE_H
#define KAFKA_DECODE_H

#include "kafka/kafka_messages.h"
#include "kafka/kafka_table.h"

/* The caller sets next, end and arena, and the rest to zeros. */
typedef struct KafkaReader
{
	const char *next;			/* moves on with each message that is decoded */
	const char *end;
	KafkaArena *arena;
	const char *problem;		/* what is wrong, a constant string; NULL: nothing */
	const KafkaField *field;	/* in which field; NULL: in none */
	int			version;
	bool		flexible;
} KafkaReader;

/*
 * The problem if the arena had no memory, which is no fault of the message.  Compare the
 * address.
 */
extern const char *const pgt_kafka_decode_no_memory;

/*
 * Decode one message.  The bytes behind it are left at reader->next, which Kafka does not
 * mind.  NULL, with a problem, if the bytes are not such a message or the version is not one of
 * it.
 *
 * The arena is asked for a multiple of the bytes that there are, at most: no count or length
 * is believed that the rest of the bytes cannot hold.
 */
extern void *pgt_kafka_decode(KafkaReader *reader, KafkaStructId message, int version);

/* A number of 7 bits a byte, the lowest first; up to 5 bytes, and bits past the 32nd are lost. */
extern bool pgt_kafka_decode_varint(KafkaReader *reader, uint32 *value);

#endif							/* KAFKA_DECODE_H */
