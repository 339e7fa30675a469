/*
 * helper.c
 *	  What the helper sends back: see helper.h.
 */
#include "postgres.h"

#include "broker/helpers/helper.h"

int32
pgt_helper_each_name(const KafkaString *names, int32 count,
					 void (*serve) (void *arg, int32 item, int32 entry, bool is_repeated), void *arg)
{
	BrokerRepeated *repeated = pgt_broker_find_repeated(names, count);
	int32		entries = 0;

	for (int32 i = 0; i < count; i++)
	{
		if (repeated[i] != BROKER_REPETITION)
			serve(arg, i, entries++, repeated[i] == BROKER_REPEATED);
	}
	return entries;
}

void
pgt_helper_answer(HelperCall *call, const void *response)
{
	const KafkaRequest *request = &call->request.kafka;
	KafkaWriter counter = {0};
	KafkaWriter writer = {0};
	size_t		size;

	if (!pgt_kafka_frame_response_size(&counter, request->api, request->version, response, &size))
		elog(ERROR, "could not encode an answer: %s", counter.problem);
	resetStringInfo(&call->reply);
	appendStringInfoChar(&call->reply, HELPER_ANSWER);
	enlargeStringInfo(&call->reply, size);
	writer.next = call->reply.data + call->reply.len;
	writer.end = writer.next + size;
	if (!pgt_kafka_frame_response(&writer, request->api, request->version, request->header->correlation_id, response))
		elog(ERROR, "could not encode an answer: %s", writer.problem);
	call->reply.len += size;
}

void
pgt_helper_done(HelperCall *call, const char *problem)
{
	resetStringInfo(&call->reply);
	appendStringInfoChar(&call->reply, HELPER_DONE);
	if (problem != NULL)
		appendStringInfoString(&call->reply, problem);
}
