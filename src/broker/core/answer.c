/*
 * answer.c
 *	  Answering requests: from a response's structure to the bytes of its exchange.
 *
 * A response is encoded into the exchange's output at once, so that nothing of the request is
 * needed after it.  Records that lie in files become ranges there, between the
 * pieces of memory.  A large one can be encoded in slices: then its writer stays with the request.
 */
#include "postgres.h"

#include "broker/core/broker.h"
#include "broker/core/broker_wait.h"
#include "broker/core/quota.h"
#include "kafka/kafka_throttle.h"
#include "port/pg_bswap.h"
#include "util/clock.h"

#define LOOK_BYTES		8192	/* of an answer in slices, after which it is looked at the clock */

/* A writer, and where its bytes go. */
typedef struct AnswerWriter
{
	KafkaWriter writer;
	Output	   *output;

	/* of an answer in slices */
	BrokerRequest *request;
	void	   *response;
	void		(*fill) (BrokerRequest *request, void *item);
	void	   *unfilled;		/* the element before which it has paused */
	size_t		looked;			/* bytes, when it was looked at the clock */
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

/* The answer is written, or is not whole yet, or has failed: then the connection is closed.  Is it whole? */
static bool
end_answer(BrokerRequest *request, AnswerWriter *answer, bool written)
{
	if (written || answer->writer.paused)
	{
		pgt_output_filled(answer->output, answer->writer.next);
		return written;
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

/* How long the client has to wait; 0: not at all. */
static int32
throttle_of(BrokerRequest *request)
{
	int64		busy = request->busy_us;

	if (!pgt_quota_exists)
		return 0;
	if (request->began != 0)
		busy += pgt_clock_monotonic_us() - request->began;
	return pgt_quota_throttle(request, busy);
}

void
pgt_broker_answer(BrokerRequest *request, void *response)
{
	AnswerWriter answer;
	int32		throttle = throttle_of(request);

	if (throttle > 0)
		pgt_kafka_throttle_set(request->kafka.api, request->kafka.version, response, throttle);
	begin_answer(&answer, request->exchange);
	if (end_answer(request, &answer,
				   pgt_kafka_frame_response(&answer.writer, request->kafka.api, request->kafka.version,
											request->kafka.header->correlation_id, response)))
		finish_exchange(request);
}

/* KafkaWriter: is the slice over?  Elements that are filled in only now are whole. */
static bool
pause(KafkaWriter *writer, int level, void *item)
{
	AnswerWriter *answer = (AnswerWriter *) writer;

	if (answer->fill != NULL && level > 0)
		return false;
	if (answer->fill != NULL || writer->size - answer->looked >= LOOK_BYTES)
	{
		answer->looked = writer->size;
		answer->unfilled = item;
		if (pgt_broker_slice_is_over())
			return true;
	}
	if (answer->fill != NULL)
		answer->fill(answer->request, item);
	return false;
}

/* The answer, which is whole, has taken its time: say how long the client has to wait. */
static void
set_throttle(BrokerRequest *request, const AnswerWriter *answer)
{
	uint32		bytes = pg_hton32((uint32) throttle_of(request));
	size_t		place = pgt_kafka_throttle_place(request->kafka.api, request->kafka.version);

	/* it is in the first piece of the output, which has room for more than what stands before it */
	if (place > 0 && bytes != 0)
		memcpy(answer->writer.frame + place, &bytes, sizeof(bytes));
}

/* Encode until the slice is over, or the answer is whole. */
static void
answer_on(BrokerRequest *request)
{
	AnswerWriter *answer = request->answer;

	if (answer->writer.paused && answer->fill != NULL)
		answer->fill(request, answer->unfilled);
	if (end_answer(request, answer,
				   pgt_kafka_frame_response(&answer->writer, request->kafka.api, request->kafka.version,
											request->kafka.header->correlation_id, answer->response)))
	{
		set_throttle(request, answer);
		finish_exchange(request);
	}
	else if (answer->writer.paused)
		pgt_broker_go_on(request, answer_on);
}

void
pgt_broker_answer_in_slices(BrokerRequest *request, void *response, void (*fill) (BrokerRequest *request, void *item))
{
	AnswerWriter *answer = MemoryContextAlloc(request->memory, sizeof(AnswerWriter));

	begin_answer(answer, request->exchange);
	answer->writer.pause = pause;
	answer->request = request;
	answer->response = response;
	answer->fill = fill;
	request->answer = answer;
	/* what cannot be cut is not done in one turn for many clients */
	if (fill != NULL)
		pgt_broker_go_on(request, answer_on);
	else
		answer_on(request);
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
	int32		throttle = throttle_of(request);
	size_t		place = throttle > 0 ? pgt_kafka_throttle_place(request->kafka.api, request->kafka.version) : 0;
	Output	   *output = &request->exchange->output;

	if (place > 0 && place + sizeof(throttle) <= length)
	{
		uint32		bytes = pg_hton32(throttle);

		pgt_output_write(output, frame, place);
		pgt_output_write(output, (const char *) &bytes, sizeof(bytes));
		frame += place + sizeof(bytes);
		length -= place + sizeof(bytes);
	}
	pgt_output_write(output, frame, length);
	finish_exchange(request);
}

void
pgt_broker_answer_nothing(BrokerRequest *request)
{
	/* nobody is told, but it counts */
	(void) throttle_of(request);
	finish_exchange(request);
}

void
pgt_broker_answer_and_close(BrokerRequest *request, void *response)
{
	pgt_broker_answer(request, response);
	pgt_connection_finish(request->client->connection, "");
}

void
pgt_broker_close(BrokerRequest *request, const char *reason)
{
	pgt_broker_wait_forget(request);
	pgt_connection_fail(request->exchange, reason);
}
