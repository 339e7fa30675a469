/*
 * alter_credentials.c
 *	  AlterUserScramCredentials: passwords of roles.
 *
 * The client does not tell the password but what comes of it after so many rounds with a salt, RFC 5802's
 * SaltedPassword.  What the server stores is made of that:
 *
 *	  SCRAM-SHA-256$<rounds>:<salt>$<StoredKey>:<ServerKey>
 *
 *	  StoredKey = SHA-256(HMAC(SaltedPassword, "Client Key"))
 *	  ServerKey = HMAC(SaltedPassword, "Server Key")
 *
 * It is stored by ALTER ROLE, in a helper process and as the client's role: so a role may change its own password, and
 * others may whose rights in SQL allow it; modules that check passwords are asked.  To delete a credential is PASSWORD
 * NULL.
 *
 * Secrets.  Whoever hears a SaltedPassword can log in with it, so it is taken where a password would be: over TLS, on
 * this machine, or where the administrator allows more.  The statement is never a text with the secret in it, which the
 * log or an extension could keep.
 *
 *	  31	the role may not change that one's password
 *	  33	another mechanism than SCRAM-SHA-256
 *	  44	the connection is one that others can hear; or a module refuses
 *	  91	there is no such role; or, to be deleted, no password for SCRAM
 *	  92	a role is in the request twice
 *	  93	too few or too many rounds, as in Kafka; no salt; a name or a key that is none
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/login/client_address.h"
#include "broker/users/alter_credentials.h"
#include "broker/users/describe_credentials.h"
#include "catalog/pg_authid.h"
#include "common/base64.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "ddl/statement.h"
#include "kafka/kafka_default.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "util/compat.h"
#include "utils/builtins.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_alter_credentials_api = {.key = KAFKA_API_ALTER_USER_SCRAM_CREDENTIALS, .serve = serve};
const HelperApi pgt_alter_credentials_helper = {.key = KAFKA_API_ALTER_USER_SCRAM_CREDENTIALS, .run = run};

/* Of Kafka's. */
#define MIN_ROUNDS		4096
#define MAX_ROUNDS		16384

#define MAX_SALT		256		/* what is made of it must be no longer than pg_authid takes, from PostgreSQL 18 on */

typedef KafkaAlterUserScramCredentialsResponseAlterUserScramCredentialsResult UserResult;
typedef KafkaAlterUserScramCredentialsRequestScramCredentialDeletion Deletion;
typedef KafkaAlterUserScramCredentialsRequestScramCredentialUpsertion Upsertion;

/* A change of a role. */
typedef struct CredentialChange
{
	KafkaString name;
	int8		mechanism;
	const Upsertion *upsertion; /* NULL: a deletion */
} CredentialChange;

/* ---- what is stored ---------------------------------------------------------------------- */

typedef struct CredentialKey
{
	uint8		bytes[PG_SHA256_DIGEST_LENGTH];
} CredentialKey;

static void
hmac(KafkaBytes key, const char *text, CredentialKey *result)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

	if (context == NULL || pg_hmac_init(context, (const uint8 *) key.data, key.length) < 0 ||
		pg_hmac_update(context, (const uint8 *) text, strlen(text)) < 0 ||
		pg_hmac_final(context, result->bytes, sizeof(result->bytes)) < 0)
		elog(ERROR, "could not compute an HMAC");
	pg_hmac_free(context);
}

static void
hash(CredentialKey *key)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, key->bytes, sizeof(key->bytes)) < 0 ||
		pg_cryptohash_final(context, key->bytes, sizeof(key->bytes)) < 0)
		elog(ERROR, "could not compute a hash");
	pg_cryptohash_free(context);
}

/* Base64 of bytes, palloc'd. */
static char *
base64(const void *bytes, int length)
{
	int			room = pg_b64_enc_len(length);
	char	   *text = palloc(room + 1);
	int			count = PGT_B64_ENCODE(bytes, length, text, room);

	if (count < 0)
		elog(ERROR, "could not encode bytes in base64");
	text[count] = '\0';
	return text;
}

/* What pg_authid has. */
static char *
make_verifier(const Upsertion *upsertion)
{
	CredentialKey stored;
	CredentialKey server;
	char	   *verifier;

	hmac(upsertion->salted_password, "Client Key", &stored);
	hash(&stored);
	hmac(upsertion->salted_password, "Server Key", &server);
	verifier = psprintf("SCRAM-SHA-256$%d:%s$%s:%s", upsertion->iterations,
						base64(upsertion->salt.data, upsertion->salt.length),
						base64(stored.bytes, sizeof(stored.bytes)), base64(server.bytes, sizeof(server.bytes)));
	explicit_bzero(&stored, sizeof(stored));
	explicit_bzero(&server, sizeof(server));
	return verifier;
}

/* ---- one change ---------------------------------------------------------------------------- */

/* What is wrong with a change, whatever roles there are. */
static KafkaError
check(const CredentialChange *change, const char **message)
{
	const Upsertion *upsertion = change->upsertion;

	*message = NULL;
	if (change->name.length <= 0)
	{
		*message = "the name is empty";
		return KAFKA_ERROR_UNACCEPTABLE_CREDENTIAL;
	}
	if (change->mechanism != DESCRIBE_CREDENTIALS_SHA_256)
	{
		*message = "there is SCRAM-SHA-256 alone";
		return KAFKA_ERROR_UNSUPPORTED_SASL_MECHANISM;
	}
	if (upsertion == NULL)
		return KAFKA_ERROR_NONE;
	if (upsertion->iterations < MIN_ROUNDS)
		*message = "too few iterations: there must be 4096 at least";
	else if (upsertion->iterations > MAX_ROUNDS)
		*message = "too many iterations: there must be 16384 at most";
	else if (upsertion->salt.length <= 0 || upsertion->salt.length > MAX_SALT)
		*message = "the salt must have from 1 to 256 bytes";
	else if (upsertion->salted_password.length != PG_SHA256_DIGEST_LENGTH)
		*message = "the salted password must have 32 bytes";
	return *message == NULL ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNACCEPTABLE_CREDENTIAL;
}

/* Set or, with NULL, remove the role's password. */
static void
set_password(Oid role, char *verifier)
{
	AlterRoleStmt *statement = makeNode(AlterRoleStmt);
	RoleSpec   *spec = makeNode(RoleSpec);

	spec->roletype = ROLESPEC_CSTRING;
	spec->rolename = GetUserNameFromId(role, false);
	spec->location = -1;
	statement->role = spec;
	statement->action = +1;
	statement->options = list_make1(makeDefElem("password", verifier == NULL ? NULL : (Node *) makeString(verifier), -1));
	pgt_statement_run_node((Node *) statement,
						   psprintf("ALTER ROLE %s PASSWORD %s", quote_identifier(spec->rolename),
									verifier == NULL ? "NULL" : "'<redacted>'"));
}

/* Make the change; in a transaction. */
static void
apply(void *arg)
{
	const CredentialChange *change = arg;
	Oid			role = pgt_describe_credentials_role(change->name);
	int			rounds;

	if (!OidIsValid(role))
		pgt_topic_change_refuse(KAFKA_ERROR_RESOURCE_NOT_FOUND, "there is no such role: roles are created in SQL");
	/* two statements at once on one row of pg_authid would fail: other helpers wait here */
	LockSharedObject(AuthIdRelationId, role, 0, ShareUpdateExclusiveLock);
	if (change->upsertion != NULL)
	{
		char	   *verifier = make_verifier(change->upsertion);

		set_password(role, verifier);
		explicit_bzero(verifier, strlen(verifier));
		return;
	}
	rounds = pgt_describe_credentials_rounds(role);
	set_password(role, NULL);
	/* told only to who may change it; that of another kind stays */
	if (rounds == 0)
		pgt_topic_change_refuse(KAFKA_ERROR_RESOURCE_NOT_FOUND, "the role has no password for SCRAM-SHA-256");
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void
fail(UserResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

/* All changes of a request; *count of them. */
static CredentialChange *
changes_of(const BrokerRequest *request, int32 *count)
{
	const KafkaAlterUserScramCredentialsRequest *body = request->kafka.body;
	CredentialChange *changes;

	*count = body->deletions.count + body->upsertions.count;
	changes = MemoryContextAllocHuge(CurrentMemoryContext, Max(*count, 1) * sizeof(CredentialChange));
	for (int32 i = 0; i < body->deletions.count; i++)
		changes[i] = (CredentialChange) {.name = body->deletions.items[i].name, .mechanism = body->deletions.items[i].mechanism};
	for (int32 i = 0; i < body->upsertions.count; i++)
		changes[body->deletions.count + i] = (CredentialChange) {.name = body->upsertions.items[i].name,
			.mechanism = body->upsertions.items[i].mechanism, .upsertion = &body->upsertions.items[i]};
	return changes;
}

static BrokerRepeated *
find_repeated(const CredentialChange *changes, int32 count)
{
	KafkaString *names = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(KafkaString));

	for (int32 i = 0; i < count; i++)
		names[i] = changes[i].name;
	return pgt_broker_find_repeated(names, count);
}

/* A response with room for so many results. */
static void
begin_response(BrokerRequest *request, KafkaAlterUserScramCredentialsResponse *response, int32 count)
{
	pgt_kafka_default_struct(KAFKA_ALTER_USER_SCRAM_CREDENTIALS_RESPONSE, response);
	response->results.items = pgt_broker_array(request,
											   KAFKA_ALTER_USER_SCRAM_CREDENTIALS_RESPONSE_ALTER_USER_SCRAM_CREDENTIALS_RESULT,
											   count);
}

/* The result for the next name. */
static UserResult *
next_result(KafkaAlterUserScramCredentialsResponse *response, KafkaString name)
{
	UserResult *result = &response->results.items[response->results.count++];

	result->user = name;
	result->error_message = pgt_broker_string(NULL);
	return result;
}

static void
serve_change(HelperCall *call, CredentialChange *change, UserResult *result)
{
	const char *problem;
	char	   *message;
	KafkaError	error = check(change, &problem);

	if (error != KAFKA_ERROR_NONE)
	{
		fail(result, error, problem);
		return;
	}
	error = pgt_topic_change_run_for_cluster(call, apply, change, false, &message);
	if (error != KAFKA_ERROR_NONE)
		fail(result, error, message);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	int32		count;
	CredentialChange *changes = changes_of(&call->request, &count);
	BrokerRepeated *repeated = find_repeated(changes, count);
	KafkaAlterUserScramCredentialsResponse response;

	begin_response(&call->request, &response, count);
	for (int32 i = 0; i < count; i++)
	{
		UserResult *result;

		if (repeated[i] == BROKER_REPETITION)
			continue;
		result = next_result(&response, changes[i].name);
		if (repeated[i] == BROKER_REPEATED)
			fail(result, KAFKA_ERROR_DUPLICATE_RESOURCE, "a user's credential cannot be changed twice in a request");
		else
			serve_change(call, &changes[i], result);
	}
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------------- */

/* Answer with an error for all changes. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	int32		count;
	CredentialChange *changes = changes_of(request, &count);
	KafkaAlterUserScramCredentialsResponse response;

	begin_response(request, &response, count);
	for (int32 i = 0; i < count; i++)
		fail(next_result(&response, changes[i].name), error, message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaAlterUserScramCredentialsRequest *body = request->kafka.body;

	if (body->upsertions.count > 0 && !pgt_client_address_is_private(request->client) && !pgt_kafka_plain_without_tls)
		refuse(request, KAFKA_ERROR_POLICY_VIOLATION,
			   "passwords are changed over TLS or from the server's machine, as pg_topics.kafka_plain_without_tls is off");
	else
		pgt_helper_pool_hand(request, DESCRIBE_CREDENTIALS_TIMEOUT_MS, refuse);
}
