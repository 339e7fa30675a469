/*
 * kafka_types.h
 *	  What the fields of Kafka's messages are in C.
 *
 * A decoded message copies nothing that the frame has already: strings, bytes and records
 * point into it.  Structures and arrays lie in an arena, which belongs to the caller and is
 * given back as a whole.  So a message is as long-lived as its frame and its arena, and
 * nothing of it is freed by itself.
 *
 * A structure of zeros is a sound one: its strings and arrays are empty.  Null is a length
 * or count of -1.  Where a length is 0, the pointer may be NULL.
 */
#ifndef KAFKA_TYPES_H
#define KAFKA_TYPES_H

#include "c.h"

/* Text; whether it is good UTF-8 nobody has looked. */
typedef struct KafkaString
{
	const char *data;
	int32		length;
} KafkaString;

typedef struct KafkaBytes
{
	const char *data;
	int32		length;
} KafkaBytes;

/*
 * Record batches.  In a response they may lie elsewhere than in memory: with a source, data
 * does not count, and the writer's splice() brings the bytes (kafka_encode.h).
 */
typedef struct KafkaRecords
{
	const char *data;
	int32		length;
	const void *source;
} KafkaRecords;

typedef struct KafkaUuid
{
	uint8		bytes[16];
} KafkaUuid;

/* An array of a type, and one of any type. */
#define KAFKA_ARRAY(type) struct { type *items; int32 count; }

typedef struct KafkaArray
{
	void	   *items;
	int32		count;
} KafkaArray;

/* A tagged field that the schema does not know.  The list is in the order of the wire. */
typedef struct KafkaTag
{
	uint32		tag;
	int32		length;
	const char *data;
	struct KafkaTag *next;
} KafkaTag;

/*
 * Memory for messages: a block, from which a pointer goes on.  When it is used up, more()
 * makes next and end those of another one, which has "needed" bytes at least and is aligned
 * for any type, and returns true; or it returns false.  The arena frees nothing.
 */
typedef struct KafkaArena
{
	char	   *next;
	char	   *end;
	bool		(*more) (struct KafkaArena *arena, size_t needed);
} KafkaArena;

/* Memory of that size, aligned for any type and not set to anything; NULL if there is none. */
static inline void *
pgt_kafka_arena_alloc(KafkaArena *arena, size_t size)
{
	void	   *memory;

	size = MAXALIGN(size);
	if (unlikely((size_t) (arena->end - arena->next) < size) && !arena->more(arena, size))
		return NULL;
	memory = arena->next;
	arena->next += size;
	return memory;
}

#endif							/* KAFKA_TYPES_H */
