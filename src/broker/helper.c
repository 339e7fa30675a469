/*
 * helper.c
 *	  What the helper sends back: see helper.h.
 */
#include "postgres.h"

#include "broker/helper.h"

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
