/*
 * kafka_error.c
 *	  The error codes of the protocol.
 *
 * The codes of kafka_error_list.h ascend by one from -1, so a code tells its row.
 */
#include "c.h"

#include "kafka/kafka_error.h"

typedef struct ErrorRow
{
	int16		code;
	bool		retriable;
	const char *name;
	const char *message;
} ErrorRow;

static const ErrorRow rows[] = {
#define KAFKA_ERROR(code, name, retriable, message) {code, retriable, #name, message},
#include "kafka/kafka_error_list.h"
#undef KAFKA_ERROR
};

static const ErrorRow *
row_of(int code)
{
	int			place = code - KAFKA_ERROR_UNKNOWN_SERVER_ERROR;

	return &rows[place >= 0 && place < lengthof(rows) ? place : 0];
}

const char *
pgt_kafka_error_name(int code)
{
	return row_of(code)->name;
}

const char *
pgt_kafka_error_message(int code)
{
	return row_of(code)->message;
}

bool
pgt_kafka_error_is_retriable(int code)
{
	return row_of(code)->retriable;
}
