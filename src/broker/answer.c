/*
 * answer.c
 *	  Answering requests: from a response's structure to the bytes of its exchange.
 *
 * A response is encoded into the exchange's output at once, so that nothing of the request is
 * needed after it.  Records that lie in files become ranges there, between the
 * pieces of memory.
 */
#include "postgres.h"

#include "broker/broker.h"
#include "broker/broker_wait.h"

/* A writer, and where its bytes go. */
typedef struct AnswerWriter
{
	KafkaWriter writer;
	Output	   *output;
} AnswerWriter;

/* ---- encoding -------------------------------------------------------------- */

/* Give the writer room behind what it has written. */
static bool
grow(KafkaWriter *writer, size_t needed)
{
	Output	   *output = ((AnswerWriter *) writer)->output;

	if (writer->next != NULL)
		pgt_output_filled(output, writer->next);
	pgt_output_room(output, needed, &writer->next, &writer->end);
	return true;
}

/* Let ranges of files follow what has been written. */
static bool
splice_files(KafkaWriter *writer, const KafkaRecords *records)
{
	Output	   *output = ((AnswerWriter *) writer)->output;
	const BrokerRecords *source = records->source;
	size_t		length = 0;

	for (int i = 0; i < source->count; i++)
		length += source->ranges[i].length;
	if (length != records->length)
		return false;
	if (writer->next != NULL)
		pgt_output_filled(output, writer->next);
	for (int i = 0; i < source->count; i++)
		pgt_output_add_file(output, source->ranges[i].file, source->ranges[i].offset, source->ranges[i].length);
	pgt_output_room(output, 1, &writer->next, &writer->end);
	return true;
}

/* Begin to write into an exchange's output. */
static void
begin_answer(AnswerWriter *answer, Exchange *exchange)
{
	memset(answer, 0, sizeof(*answer));
	answer->writer.grow = grow;
	answer->writer.splice = splice_files;
	answer->output = &exchange->output;
	grow(&answer->writer, 0);
}

/* The answer is written, or has failed: then the connection is closed. */
static bool
end_answer(BrokerRequest *request, AnswerWriter *answer, bool written)
{
	if (written)
	{
		pgt_output_filled(answer->output, answer->writer.next);
		return true;
	}
	ereport(LOG,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg_internal("could not encode the answer to a Kafka request of API %s, version %d: %s",
							 pgt_kafka_api_name(request->kafka.api), request->kafka.version,
							 answer->writer.problem == NULL ? "no reason" : answer->writer.problem)));
	pgt_output_clear(answer->output);
	pgt_broker_close(request, "an answer could not be encoded");
	return false;
}

/* ---- answering ------------------------------------------------------------- */

/* The exchange has its output: let it go. */
static void
finish_exchange(BrokerRequest *request)
{
	pgt_broker_wait_forget(request);
	pgt_connection_answer(request->exchange);
}

void
pgt_broker_answer(BrokerRequest *request, const void *response)
{
	AnswerWriter answer;

	begin_answer(&answer, request->exchange);
	if (end_answer(request, &answer,
				   pgt_kafka_frame_response(&answer.writer, request->kafka.api, request->kafka.version,
											request->kafka.header->correlation_id, response)))
		finish_exchange(request);
}

void
pgt_broker_answer_versions(BrokerRequest *request)
{
	AnswerWriter answer;

	begin_answer(&answer, request->exchange);
	if (end_answer(request, &answer,
				   pgt_kafka_frame_tell_versions(&answer.writer, &request->arena,
												 request->kafka.header->correlation_id)))
		finish_exchange(request);
}

void
pgt_broker_answer_frame(BrokerRequest *request, const char *frame, size_t length)
{
	pgt_output_write(&request->exchange->output, frame, length);
	finish_exchange(request);
}

void
pgt_broker_answer_nothing(BrokerRequest *request)
{
	finish_exchange(request);
}

void
pgt_broker_answer_and_close(BrokerRequest *request, const void *response)
{
	pgt_broker_answer(request, response);
	pgt_connection_finish(request->client->connection);
}

void
pgt_broker_close(BrokerRequest *request, const char *reason)
{
	pgt_broker_wait_forget(request);
	pgt_connection_close(request->client->connection, reason);
}
