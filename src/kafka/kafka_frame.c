/*
 * kafka_frame.c
 *	  Frames: a size of 4 bytes, a header, and a request or response.
 *
 * A request whose bytes are no such request is answered by closing the connection: after
 * it nobody knows what the client believes.  The one exception is ApiVersions, with which a
 * client of any age begins; its body is not even looked at in a version that we do not know.
 */
#include "c.h"

#include "port/pg_bswap.h"

#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_frame.h"

#define KEY_AND_VERSION_SIZE	4

static inline int16
get_int16(const char *bytes)
{
	uint16		value;

	memcpy(&value, bytes, sizeof(value));
	return (int16) pg_ntoh16(value);
}

const char *
pgt_kafka_frame_size(const char *bytes, int32 limit, int32 *size)
{
	uint32		value;

	memcpy(&value, bytes, sizeof(value));
	*size = (int32) pg_ntoh32(value);
	if (*size < 0)
		return "size of the frame is negative";
	if (*size > limit)
		return "frame is larger than the limit";
	return NULL;
}

/* Close because of the reader's problem, which may also be that there is no memory. */
static KafkaVerdict
refuse(KafkaRequest *request, const char *problem, const KafkaField *field)
{
	request->problem = problem;
	request->field = field;
	return problem == pgt_kafka_decode_no_memory ? KAFKA_VERDICT_NO_MEMORY : KAFKA_VERDICT_CLOSE;
}

KafkaVerdict
pgt_kafka_request_decode(KafkaRequest *request, KafkaArena *arena, const char *frame, size_t length)
{
	KafkaReader reader = {.next = frame, .end = frame + length, .arena = arena};

	memset(request, 0, sizeof(*request));
	if (length < KEY_AND_VERSION_SIZE)
		return refuse(request, "request is too short for a header", NULL);
	request->api = pgt_kafka_api(get_int16(frame));
	request->version = get_int16(frame + 2);
	if (request->api == NULL)
		return refuse(request, "API key is unknown", NULL);
	request->header = pgt_kafka_decode(&reader, KAFKA_REQUEST_HEADER,
									   pgt_kafka_api_request_header(request->api, request->version));
	if (request->header == NULL)
		return refuse(request, reader.problem, reader.field);
	request->left = reader.next;
	if (!pgt_kafka_api_serves(request->api, request->version))
	{
		if (request->api->key == KAFKA_API_API_VERSIONS)
			return KAFKA_VERDICT_TELL_VERSIONS;
		return refuse(request, "version of the API is not supported", NULL);
	}
	request->body = pgt_kafka_decode(&reader, request->api->request, request->version);
	if (request->body == NULL)
		return refuse(request, reader.problem, reader.field);
	request->left = reader.next;
	return KAFKA_VERDICT_SERVE;
}

/* Note the problem, and return false. */
static bool
fail_response(KafkaWriter *w, const char *problem)
{
	w->problem = problem;
	w->field = NULL;
	return false;
}

/* Encode the header. */
static bool
encode_header(KafkaWriter *w, const KafkaApi *api, int version, int32 correlation_id)
{
	KafkaResponseHeader header = {.correlation_id = correlation_id};

	return pgt_kafka_encode(w, KAFKA_RESPONSE_HEADER, pgt_kafka_api_response_header(api, version), &header);
}

bool
pgt_kafka_frame_response_size(KafkaWriter *w, const KafkaApi *api, int version, const void *body, size_t *size)
{
	KafkaWriter counter = {.counting = true};

	if (!encode_header(&counter, api, version, 0) || !pgt_kafka_encode(&counter, api->response, version, body))
	{
		w->problem = counter.problem;
		w->field = counter.field;
		return false;
	}
	*size = KAFKA_FRAME_SIZE_BYTES + counter.size;
	return counter.size <= PG_INT32_MAX || fail_response(w, "response is too long");
}

/* What comes before the body. */
static bool
begin_response(KafkaWriter *w, const KafkaApi *api, int version, int32 correlation_id)
{
	w->before = w->size;
	w->frame = pgt_kafka_encode_room(w, KAFKA_FRAME_SIZE_BYTES);
	return w->frame != NULL && encode_header(w, api, version, correlation_id);
}

bool
pgt_kafka_frame_response(KafkaWriter *w, const KafkaApi *api, int version, int32 correlation_id, const void *body)
{
	size_t		size;
	uint32		value;

	if ((!w->paused && !begin_response(w, api, version, correlation_id)) ||
		!pgt_kafka_encode(w, api->response, version, body))
		return false;
	size = w->size - w->before - KAFKA_FRAME_SIZE_BYTES;
	if (size > PG_INT32_MAX)
		return fail_response(w, "response is too long");
	value = pg_hton32((uint32) size);
	memcpy(w->frame, &value, sizeof(value));
	return true;
}

/* ApiVersions alone is what such a client is told of. */
static bool
is_api_versions(int key)
{
	return key == KAFKA_API_API_VERSIONS;
}

bool
pgt_kafka_frame_tell_versions(KafkaWriter *w, KafkaArena *arena, int32 correlation_id)
{
	KafkaApiVersionsResponse response;

	pgt_kafka_default_struct(KAFKA_API_VERSIONS_RESPONSE, &response);
	response.error_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
	if (!pgt_kafka_api_list(arena, is_api_versions, &response))
		return fail_response(w, pgt_kafka_decode_no_memory);
	return pgt_kafka_frame_response(w, pgt_kafka_api(KAFKA_API_API_VERSIONS), 0, correlation_id, &response);
}
