/*
 * kafka_frame.h
 *	  Frames: a size of 4 bytes, a header, and a request or response.
 *
 *	  request	size | api key, version, correlation id, client id, tags | body
 *	  response	size | correlation id, tags | body
 */
#ifndef KAFKA_FRAME_H
#define KAFKA_FRAME_H

#include "kafka/kafka_api.h"
#include "kafka/kafka_decode.h"
#include "kafka/kafka_encode.h"

#define KAFKA_FRAME_SIZE_BYTES	4

/* What becomes of a request. */
typedef enum KafkaVerdict
{
	KAFKA_VERDICT_SERVE,		/* it is whole: serve it */
	KAFKA_VERDICT_TELL_VERSIONS,	/* ApiVersions of an unknown version: answer error 35, in version 0 */
	KAFKA_VERDICT_CLOSE,		/* close the connection without a response, as Kafka does */
	KAFKA_VERDICT_NO_MEMORY		/* it may be good, but the arena has no memory for it */
} KafkaVerdict;

typedef struct KafkaRequest
{
	const KafkaApi *api;
	int			version;
	const KafkaRequestHeader *header;	/* a client id of null is an empty one to Kafka */
	void	   *body;			/* the structure of api->request, if it is to be served */
	const char *left;			/* bytes behind the body, which Kafka does not mind */
	const char *problem;		/* why the connection is to be closed */
	const KafkaField *field;	/* in which field; NULL: in none */
} KafkaRequest;

/*
 * Set *size to a frame's size, from its first bytes.  The problem, if it is negative or over
 * the limit: then the connection is out of step or hostile, and is to be closed.
 */
extern const char *pgt_kafka_frame_size(const char *bytes, int32 limit, int32 *size);

/* Take a request apart.  "frame" are the bytes behind the size, which the request points into. */
extern KafkaVerdict pgt_kafka_request_decode(KafkaRequest *request, KafkaArena *arena,
											 const char *frame, size_t length);

/*
 * Write a whole response, its size first, in the version of its request.  The size is known
 * last, so what the writer has given stays in place until then.  How much it will be,
 * the size included, pgt_kafka_frame_response_size() tells before.  False, with the
 * writer's problem, as pgt_kafka_encode() says; also for a pause, after which a call with the same arguments goes on.
 */
extern bool pgt_kafka_frame_response(KafkaWriter *writer, const KafkaApi *api, int version, int32 correlation_id,
									 const void *body);
extern bool pgt_kafka_frame_response_size(KafkaWriter *writer, const KafkaApi *api, int version, const void *body,
										  size_t *size);

/* The answer to KAFKA_VERDICT_TELL_VERSIONS: which versions of ApiVersions there are. */
extern bool pgt_kafka_frame_tell_versions(KafkaWriter *writer, KafkaArena *arena, int32 correlation_id);

#endif							/* KAFKA_FRAME_H */
