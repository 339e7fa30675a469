/*
 * kafka_table.h
 *	  The tables that say how each version of each message looks on the wire.
 *
 * make_messages writes them from kafka_messages.txt.  They have no pointers, so that they
 * need no work when the library is loaded, and lie in pages that all processes share.
 *
 *	  pgt_kafka_apis ----> pgt_kafka_messages     versions of a message
 *	                 \---> pgt_kafka_structs      its fields; the same index
 *	                            |    ^
 *	                            v    | of a field's structure
 *	                       pgt_kafka_fields
 */
#ifndef KAFKA_TABLE_H
#define KAFKA_TABLE_H

#include "kafka/kafka_messages.h"

/* The types of fields; those up to KAFKA_TYPE_UUID have a fixed width. */
typedef enum KafkaType
{
	KAFKA_TYPE_BOOL,
	KAFKA_TYPE_INT8,
	KAFKA_TYPE_INT16,
	KAFKA_TYPE_UINT16,
	KAFKA_TYPE_INT32,
	KAFKA_TYPE_INT64,
	KAFKA_TYPE_FLOAT64,
	KAFKA_TYPE_UUID,
	KAFKA_TYPE_STRING,
	KAFKA_TYPE_BYTES,
	KAFKA_TYPE_RECORDS,
	KAFKA_TYPE_STRUCT
} KafkaType;

#define KAFKA_FIELD_ARRAY		0x01	/* the type is that of the elements */
#define KAFKA_FIELD_IGNORABLE	0x02	/* a value may be lost in a version without the field */
#define KAFKA_FIELD_PLAIN		0x04	/* its length is not compact, not even in flexible versions */
#define KAFKA_FIELD_POINTER		0x08	/* a structure that may be null: the C member is a pointer */

typedef struct KafkaField
{
	uint16		offset;			/* of the member in its C structure */
	uint16		name;			/* into pgt_kafka_field_names */
	uint16		structure;		/* into pgt_kafka_structs, for KAFKA_TYPE_STRUCT */
	uint8		type;			/* KafkaType */
	uint8		flags;
	int8		first;			/* versions that have it */
	int8		last;
	int8		null_first;		/* versions in which it may be null */
	int8		null_last;
	int8		tag;			/* -1: none */
	uint8		default_value;	/* into pgt_kafka_field_defaults */
} KafkaField;

/* A structure.  Fields without a tag come first; those with one ascend by it. */
typedef struct KafkaStruct
{
	uint16		first_field;	/* into pgt_kafka_fields */
	uint8		plain_count;	/* fields without a tag */
	uint8		tagged_count;	/* fields with one */
	uint16		name;			/* into pgt_kafka_field_names */
	uint16		size;			/* in memory */
	uint16		min_size;		/* bytes on the wire that each version takes at least */
} KafkaStruct;

/* A message's versions.  Its fields are in the structure of the same index. */
typedef struct KafkaMessage
{
	int8		first;
	int8		last;
	int8		flexible;		/* the first flexible version, or 127 */
} KafkaMessage;

/*
 * An API.  The versions here are those that ApiVersions tells; the ones that are served
 * are those of its request's KafkaMessage, but for versions that Kafka calls unstable.
 */
typedef struct KafkaApi
{
	int16		key;
	int8		first;
	int8		last;
	uint16		name;			/* into pgt_kafka_field_names */
	uint16		request;		/* KafkaStructId */
	uint16		response;
	int8		flexible;		/* the request's first flexible version, or 127 */
} KafkaApi;

extern const KafkaField pgt_kafka_fields[];
extern const KafkaStruct pgt_kafka_structs[];
extern const KafkaMessage pgt_kafka_messages[];
extern const KafkaApi pgt_kafka_apis[];
extern const int8 pgt_kafka_api_places[];

/* Defaults as numbers; -1 stands for null in strings, bytes and arrays. */
extern const int64 pgt_kafka_field_defaults[];

/* All names, each with a zero byte at its end. */
extern const char pgt_kafka_field_names[];

static inline const char *
pgt_kafka_field_name(const KafkaField *field)
{
	return pgt_kafka_field_names + field->name;
}

static inline const char *
pgt_kafka_struct_name(const KafkaStruct *structure)
{
	return pgt_kafka_field_names + structure->name;
}

static inline bool
pgt_kafka_field_in(const KafkaField *field, int version)
{
	return field->first <= version && version <= field->last;
}

static inline bool
pgt_kafka_field_nullable(const KafkaField *field, int version)
{
	return field->null_first <= version && version <= field->null_last;
}

/* The size of a value in memory; of an array, that of an element. */
static inline size_t
pgt_kafka_field_size(const KafkaField *field)
{
	static const uint8 sizes[] = {
		[KAFKA_TYPE_BOOL] = 1, [KAFKA_TYPE_INT8] = 1, [KAFKA_TYPE_INT16] = 2, [KAFKA_TYPE_UINT16] = 2,
		[KAFKA_TYPE_INT32] = 4, [KAFKA_TYPE_INT64] = 8, [KAFKA_TYPE_FLOAT64] = 8, [KAFKA_TYPE_UUID] = 16,
		[KAFKA_TYPE_STRING] = sizeof(KafkaString), [KAFKA_TYPE_BYTES] = sizeof(KafkaBytes),
		[KAFKA_TYPE_RECORDS] = sizeof(KafkaRecords)
	};

	return field->type == KAFKA_TYPE_STRUCT ? pgt_kafka_structs[field->structure].size : sizes[field->type];
}

#endif							/* KAFKA_TABLE_H */
