/*
 * describe_credentials.c
 *	  DescribeUserScramCredentials: which roles have a password for SCRAM.
 *
 * What is told is the number of rounds, which everybody learns who begins to log in as the role.  But in SQL nobody
 * sees which roles have passwords who may not read pg_authid, as superusers may: others are told of
 * themselves alone.
 *
 *	  31	the role may not know that of another one
 *	  91	there is no such role, or it has no password for SCRAM
 *	  92	it is in the request twice
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "broker/core/database_text.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/users/describe_credentials.h"
#include "catalog/pg_authid.h"
#include "common/scram-common.h"
#include "kafka/kafka_default.h"
#include "libpq/crypt.h"
#include "util/server_port.h"
#include "libpq/scram.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_describe_credentials_api = {.key = KAFKA_API_DESCRIBE_USER_SCRAM_CREDENTIALS, .serve = serve};
const HelperApi pgt_describe_credentials_helper = {.key = KAFKA_API_DESCRIBE_USER_SCRAM_CREDENTIALS, .run = run};

typedef KafkaDescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult UserResult;
typedef KafkaDescribeUserScramCredentialsResponseCredentialInfo CredentialInfo;

/* What is being described. */
typedef struct CredentialSearch
{
	HelperCall *call;
	UserResult *results;
	int32		count;
} CredentialSearch;

/* ---- roles ----------------------------------------------------------------------------- */

Oid
pgt_describe_credentials_role(KafkaString name)
{
	char	   *role;

	if (name.length <= 0 || memchr(name.data, '\0', name.length) != NULL)
		return InvalidOid;
	role = pg_any_to_server(pnstrdup(name.data, name.length), name.length, PG_UTF8);
	return strlen(role) < NAMEDATALEN ? get_role_oid(role, true) : InvalidOid;
}

/* How many rounds a verifier has; 0: it is not one of SCRAM. */
static int
rounds_of(const char *verifier)
{
	int			rounds = 0;
	char	   *salt;
	uint8		stored_key[PGT_SCRAM_KEY_LEN];
	uint8		server_key[PGT_SCRAM_KEY_LEN];

	if (get_password_type(verifier) != PASSWORD_TYPE_SCRAM_SHA_256 ||
		!PGT_PARSE_SCRAM_SECRET(verifier, &rounds, &salt, stored_key, server_key))
		rounds = 0;
	explicit_bzero(stored_key, sizeof(stored_key));
	explicit_bzero(server_key, sizeof(server_key));
	return rounds;
}

int
pgt_describe_credentials_rounds(Oid role)
{
	HeapTuple	row = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		is_null;
	Datum		value;
	int			rounds;

	if (!HeapTupleIsValid(row))
		return 0;
	value = SysCacheGetAttr(AUTHOID, row, Anum_pg_authid_rolpassword, &is_null);
	rounds = is_null ? 0 : rounds_of(TextDatumGetCString(value));
	ReleaseSysCache(row);
	return rounds;
}

/* May the current user know whether the role has a password? */
static bool
may_know(Oid role)
{
	return role == GetUserId() || pg_class_aclcheck(AuthIdRelationId, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* ---- the answer ------------------------------------------------------------------------ */

/* Add the result of a role with so many rounds. */
static void
add_rounds(CredentialSearch *search, UserResult *result, int rounds)
{
	CredentialInfo *info = pgt_broker_array(&search->call->request, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE_CREDENTIAL_INFO, 1);

	info->mechanism = DESCRIBE_CREDENTIALS_SHA_256;
	info->iterations = rounds;
	result->credential_infos.items = info;
	result->credential_infos.count = 1;
}

static void
fail(UserResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

/* Describe a role that is asked for. */
static void
describe_one(CredentialSearch *search, UserResult *result)
{
	Oid			role = pgt_describe_credentials_role(result->user);
	int			rounds;

	if (!may_know(role))
	{
		fail(result, KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED, "the passwords of others are not shown");
		return;
	}
	rounds = pgt_describe_credentials_rounds(role);
	if (rounds == 0)
		fail(result, KAFKA_ERROR_RESOURCE_NOT_FOUND, "there is no such role, or it has no password for SCRAM-SHA-256");
	else
		add_rounds(search, result, rounds);
}

/* Describe those that are asked for; in a transaction. */
static void
describe_wanted(CredentialSearch *search, const KafkaDescribeUserScramCredentialsRequest *body)
{
	KafkaString *names = MemoryContextAllocHuge(CurrentMemoryContext, body->users.count * sizeof(KafkaString));
	BrokerRepeated *repeated;

	for (int32 i = 0; i < body->users.count; i++)
		names[i] = body->users.items[i].name;
	repeated = pgt_broker_find_repeated(names, body->users.count);
	search->results = pgt_broker_array(&search->call->request, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE_DESCRIBE_USER_SCRAM_CREDENTIALS_RESULT,
									   body->users.count);
	for (int32 i = 0; i < body->users.count; i++)
	{
		UserResult *result = &search->results[search->count];

		CHECK_FOR_INTERRUPTS();
		if (repeated[i] == BROKER_REPETITION)
			continue;
		result->user = names[i];
		result->error_message = pgt_broker_string(NULL);
		search->count++;
		if (repeated[i] == BROKER_REPEATED)
			fail(result, KAFKA_ERROR_DUPLICATE_RESOURCE, "the user is in the request more than once");
		else
			describe_one(search, result);
	}
}

/* Roles with their rounds, of those that have a password for SCRAM and of which the current user may know. */
typedef struct KnownRole
{
	KafkaString name;
	int			rounds;
} KnownRole;

static List *
known_roles(void)
{
	Relation	table = table_open(AuthIdRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, NULL, 0, NULL);
	List	   *roles = NIL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_authid form = (Form_pg_authid) GETSTRUCT(row);
		bool		is_null;
		Datum		value = heap_getattr(row, Anum_pg_authid_rolpassword, RelationGetDescr(table), &is_null);
		int			rounds = is_null || !may_know(form->oid) ? 0 : rounds_of(TextDatumGetCString(value));
		KnownRole  *role;

		CHECK_FOR_INTERRUPTS();
		if (rounds == 0)
			continue;
		role = palloc(sizeof(KnownRole));
		role->name = pgt_database_text_for_client(pstrdup(NameStr(form->rolname)));
		role->rounds = rounds;
		roles = lappend(roles, role);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return roles;
}

/* Describe all; in a transaction. */
static void
describe_all(CredentialSearch *search)
{
	List	   *roles = known_roles();

	search->count = list_length(roles);
	search->results = pgt_broker_array(&search->call->request, KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE_DESCRIBE_USER_SCRAM_CREDENTIALS_RESULT,
									   search->count);
	for (int i = 0; i < search->count; i++)
	{
		const KnownRole *role = list_nth(roles, i);

		search->results[i].user = role->name;
		search->results[i].error_message = pgt_broker_string(NULL);
		add_rounds(search, &search->results[i], role->rounds);
	}
}

/* In a transaction; what is found stays in the call's memory. */
static void
describe(void *arg)
{
	CredentialSearch *search = arg;
	const KafkaDescribeUserScramCredentialsRequest *body = search->call->request.kafka.body;
	MemoryContext old = MemoryContextSwitchTo(search->call->request.memory);

	if (body->users.count > 0)
		describe_wanted(search, body);
	else
		describe_all(search);
	MemoryContextSwitchTo(old);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	CredentialSearch search = {.call = call};
	KafkaDescribeUserScramCredentialsResponse response;
	char	   *message = NULL;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE, &response);
	response.error_code = pgt_topic_change_run_for_cluster(call, describe, &search, true, &message);
	response.error_message = pgt_broker_string(message);
	if (response.error_code == KAFKA_ERROR_NONE)
	{
		response.results.items = search.results;
		response.results.count = search.count;
	}
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------- */

static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaDescribeUserScramCredentialsResponse response;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE, &response);
	response.error_code = error;
	response.error_message = pgt_broker_string(message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	pgt_helper_pool_hand(request, DESCRIBE_CREDENTIALS_TIMEOUT_MS, refuse);
}
