/*
 * kafka_api.c
 *	  The APIs of the protocol: what a key stands for, and which versions are served.
 *
 * Two rules are not in the tables.  The response to ApiVersions has the header of version 0
 * always, since the client does not know yet what the server understands.  And what Produce
 * tells begins with version 0, though it serves from version 3 on: librdkafka takes a server
 * without it for one that cannot decompress.
 */
#include "c.h"

#include "kafka/kafka_api.h"
#include "kafka/kafka_default.h"

const KafkaApi *
pgt_kafka_api(int key)
{
	int			place;

	if (key < 0 || key > KAFKA_LAST_API_KEY)
		return NULL;
	place = pgt_kafka_api_places[key];
	return place < 0 ? NULL : &pgt_kafka_apis[place];
}

const char *
pgt_kafka_api_name(const KafkaApi *api)
{
	return pgt_kafka_field_names + api->name;
}

bool
pgt_kafka_api_serves(const KafkaApi *api, int version)
{
	return version >= pgt_kafka_messages[api->request].first && version <= api->last;
}

int
pgt_kafka_api_request_header(const KafkaApi *api, int version)
{
	return version >= api->flexible ? 2 : 1;
}

int
pgt_kafka_api_response_header(const KafkaApi *api, int version)
{
	return version >= api->flexible && api->key != KAFKA_API_API_VERSIONS ? 1 : 0;
}

bool
pgt_kafka_api_list(KafkaArena *arena, bool (*offered) (int key), KafkaApiVersionsResponse *response)
{
	KafkaApiVersionsResponseApiVersion *items;
	int32		count = 0;

	items = pgt_kafka_default_array(arena, KAFKA_API_VERSIONS_RESPONSE_API_VERSION, KAFKA_API_COUNT);
	if (items == NULL)
		return false;
	for (int i = 0; i < KAFKA_API_COUNT; i++)
	{
		const KafkaApi *api = &pgt_kafka_apis[i];

		if (offered != NULL && !offered(api->key))
			continue;
		items[count].api_key = api->key;
		items[count].min_version = api->first;
		items[count].max_version = api->last;
		count++;
	}
	response->api_keys.items = items;
	response->api_keys.count = count;
	return true;
}
