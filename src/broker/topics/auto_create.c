/*
 * auto_create.c
 *	  Topics that are created because a client asks for them in Metadata.
 *
 * As in Kafka with auto.create.topics.enable: the client is told at once that the topic has no
 * leader yet, asks again, and finds it.  Meanwhile a helper process creates it, with the
 * defaults and as the client's role.  Whether the role may do that is looked at before, so
 * that one which may not is told so.  If it fails otherwise, the server's log tells, and
 * clients ask in vain, each time for a new attempt.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/broker_settings.h"
#include "broker/core/topic_names.h"
#include "broker/helpers/helper_pool.h"
#include "broker/topics/auto_create.h"
#include "broker/topics/create_topics.h"
#include "kafka/kafka_name.h"

static void run(HelperCall *call);

const HelperApi pgt_auto_create_helper = {.key = KAFKA_API_METADATA, .run = run};

#define TIMEOUT_MS	30000

/* ---- in the loop ------------------------------------------------------------------ */

KafkaError
pgt_auto_create_judge(const BrokerRequest *request, KafkaString name)
{
	const KafkaMetadataRequest *body = request->kafka.body;
	TopicPlace	place;

	/* clients of old versions do not say it, and want it */
	if (!pgt_kafka_auto_create_topics || (request->kafka.version >= 4 && !body->allow_auto_topic_creation))
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	if (!pgt_topic_names_place(pnstrdup(name.data, name.length), &place))
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	return pgt_access_may_create(request->client, place.schema) ?
		KAFKA_ERROR_LEADER_NOT_AVAILABLE : KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
}

void
pgt_auto_create_begin(const BrokerRequest *request)
{
	/* if there is too much to do, the client's next request may be luckier */
	(void) pgt_helper_pool_leave(request, TIMEOUT_MS);
}

/* ---- in the helper ------------------------------------------------------------------ */

/* Is it trouble that nobody is told of otherwise?  A topic may be there by now. */
static bool
is_trouble(KafkaError error)
{
	return error != KAFKA_ERROR_NONE && error != KAFKA_ERROR_TOPIC_ALREADY_EXISTS;
}

static void
run(HelperCall *call)
{
	const KafkaMetadataRequest *body = call->request.kafka.body;
	const char *problem = NULL;

	for (int32 i = 0; i < body->topics.count; i++)
	{
		KafkaString name = body->topics.items[i].name;
		char	   *message;

		if (name.length < 0 || pgt_kafka_name_topic_problem(name) != NULL)
			continue;
		if (is_trouble(pgt_create_topics_by_default(call, name, &message)) && problem == NULL)
			problem = psprintf("topic \"%.*s\": %s", name.length, name.data, message);
	}
	pgt_helper_done(call, problem);
}
