/*
 * authentication.c
 *	  Who a client is.
 *
 * A client that has not authenticated is pg_topics.kafka_anonymous_role.  If that is
 * empty or no role, the client is not served anything but what leads to authentication.
 */
#include "postgres.h"

#include "broker/authentication.h"
#include "broker/broker_settings.h"
#include "broker/turn.h"
#include "util/clock.h"
#include "utils/acl.h"

void
pgt_authentication_begin(BrokerConnection *client)
{
	Oid			role;

	if (*pgt_kafka_anonymous_role == '\0')
		return;
	pgt_turn_open();
	role = get_role_oid(pgt_kafka_anonymous_role, true);
	if (OidIsValid(role))
		pgt_broker_set_client(client, role, pgt_kafka_anonymous_role, NEVER_US);
}

bool
pgt_authentication_admits(BrokerConnection *client, const BrokerApi *api)
{
	return client->authenticated || api->anonymous;
}
