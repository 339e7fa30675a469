/*
 * sasl.c
 *	  SASL: how a client proves which role it is.
 *
 *	  client							server
 *
 *	  SaslHandshake(mechanism)	---->
 *								<----	the mechanisms that there are
 *	  SaslAuthenticate(bytes)	---->						PLAIN		SCRAM-SHA-256
 *								<----	SaslAuthenticate	end			server-first
 *	  SaslAuthenticate(bytes)	---->
 *								<----	SaslAuthenticate				server-final, end
 *
 * Old clients use version 0 of SaslHandshake.  What follows then are the bare messages, each with its size
 * before it; there is no answer to a message that fails but the end of the connection.
 *
 * SCRAM is the server's own code (libpq/auth-scram.c).  It believes that it serves a backend: it gets a
 * Port, which is made up here and has nothing in it but the names, and which is the process's
 * MyProcPort while it runs, since from 18 on it notes the client's keys there.  The Port says that
 * there is no TLS, so that channel binding, which is not offered, is not missed either.  The
 * server ignores the name in the client's message; here it is what says which role it is.
 *
 * One kind of message that clients send and the server's code does not take is looked at by
 * scram_repeat.c.
 *
 * With PLAIN the client tells its password.  It is offered over TLS and on this machine, elsewhere
 * only with pg_topics.kafka_plain_without_tls.  The password is compared in slices
 * (password_check.c), between which the request is parked.
 *
 * What a client is told of a failure does not depend on whether there is such a role or which
 * of name and password was wrong.  A failure ends the connection, as with Kafka.
 *
 * An authenticated client may begin anew at any time (KIP-368), but stays the same role.
 *
 * Memory: the exchange has a context of its own below that of the connection.  No copy of a password
 * outlives its request.
 */
#include "postgres.h"

#include "broker/login/authentication.h"
#include "broker/login/client_address.h"
#include "broker/core/broker_settings.h"
#include "broker/login/password_check.h"
#include "broker/login/refusal_log.h"
#include "broker/login/sasl.h"
#include "broker/login/scram_repeat.h"
#include "broker/core/turn.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "util/clock.h"
#include "util/server_port.h"
#include "libpq/scram.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#define MAX_TOKEN	65535		/* as the server takes from its clients */

typedef enum SaslMechanism
{
	SASL_PLAIN,
	SASL_SCRAM
} SaslMechanism;

#define SASL_MECHANISMS		2

static const char *const mechanism_names[SASL_MECHANISMS] = {
	"PLAIN",
	"SCRAM-SHA-256"
};

/* An exchange that is under way, of client->sasl. */
typedef struct SaslState
{
	MemoryContext memory;
	SaslMechanism mechanism;
	bool		bare;			/* messages are frames of their own */
	AuthenticationDemand demand;	/* once the client has said which role it wants to be */
	void	   *scram;			/* of the server's code; NULL: not begun */
	ScramRepeat first;			/* the first two messages of SCRAM */
	Port		port;			/* for that */
} SaslState;

/* A password that is being compared, in request->state. */
typedef struct PlainState
{
	AuthenticationDemand demand;
	PasswordCheck *check;
} PlainState;

/* ---- answers ---------------------------------------------------------------- */

/* The exchange is over, or never was. */
static void
forget_exchange(BrokerConnection *client)
{
	if (client->sasl != NULL)
		MemoryContextDelete(client->sasl->memory);
	client->sasl = NULL;
}

/* Answer with a message of no more than a size. */
static void
answer_bare(BrokerRequest *request, const char *token, int length)
{
	uint32		size = pg_hton32(length);

	pgt_output_write(&request->exchange->output, &size, sizeof(size));
	pgt_output_write(&request->exchange->output, token, length);
	pgt_broker_answer_nothing(request);
}

/* Answer with a message, which may be empty. */
static void
answer(BrokerRequest *request, const char *token, int length, bool bare)
{
	KafkaSaslAuthenticateResponse response;

	if (bare)
	{
		answer_bare(request, token, length);
		return;
	}
	pgt_kafka_default_struct(KAFKA_SASL_AUTHENTICATE_RESPONSE, &response);
	response.auth_bytes.data = token;
	response.auth_bytes.length = length;
	response.session_lifetime_ms = request->client->sasl == NULL ? pgt_authentication_lifetime(request->client) : 0;
	pgt_broker_answer(request, &response);
}

/* Answer with an error, and close.  The text is one that the client may know. */
static void
answer_error(BrokerRequest *request, int16 code, const char *told)
{
	KafkaSaslAuthenticateResponse response;
	bool		bare = request->client->sasl != NULL && request->client->sasl->bare;

	forget_exchange(request->client);
	if (bare)
	{
		pgt_broker_close(request, "");
		return;
	}
	pgt_kafka_default_struct(KAFKA_SASL_AUTHENTICATE_RESPONSE, &response);
	response.error_code = code;
	response.error_message = pgt_broker_string(told);
	pgt_broker_answer_and_close(request, &response);
}

static void
answer_refusal(BrokerRequest *request, const char *told)
{
	answer_error(request, KAFKA_ERROR_SASL_AUTHENTICATION_FAILED, told);
}

/* The bytes are no message of the mechanism. */
static void
answer_malformed(BrokerRequest *request, const char *what)
{
	if (pgt_refusal_log_may(request->client))
		ereport(LOG,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("refused Kafka client %s: %s", pgt_client_address_text(request->client), what)));
	answer_refusal(request, what);
}

/* The client has proved it: let it in, and answer with the last message. */
static void
conclude(BrokerRequest *request, const AuthenticationDemand *demand, const char *token, int length)
{
	const char *told = pgt_authentication_accept(request->client, demand);
	bool		bare = request->client->sasl->bare;
	char	   *copy;

	if (told != NULL)
	{
		answer_refusal(request, told);
		return;
	}
	copy = pnstrdup(token, length);
	forget_exchange(request->client);
	answer(request, copy, length, bare);
}

/* ---- names ------------------------------------------------------------------ */

/* A client's text in the server's encoding, palloc'd; NULL if it is none or has a zero byte. */
static char *
take_text(const char *bytes, int length)
{
	if (memchr(bytes, '\0', length) != NULL || !pg_verify_mbstr(PG_UTF8, bytes, length, true))
		return NULL;
	return pg_any_to_server(pnstrdup(bytes, length), length, PG_UTF8);
}

/* ---- SCRAM ------------------------------------------------------------------ */

/* A name as SCRAM writes it, with "=2C" and "=3D", in place; false, if another "=" is in it. */
static bool
unescape_name(char *name)
{
	char	   *to = name;

	for (const char *from = name; *from != '\0'; from++)
	{
		char		c = *from;

		if (c == '=')
		{
			if (strncmp(from, "=2C", 3) != 0 && strncmp(from, "=3D", 3) != 0)
				return false;
			c = from[2] == 'C' ? ',' : '=';
			from += 2;
		}
		*to++ = c;
	}
	*to = '\0';
	return true;
}

/*
 * The name in the client's first message, "<binding>,[a=<other>],n=<name>,r=<nonce>...", palloc'd; NULL, if
 * there is none.  The rest is for the server's code to look at.
 */
static char *
scram_name(const char *message)
{
	const char *bare = strchr(message, ',');
	const char *end;
	char	   *name;

	bare = bare == NULL ? NULL : strchr(bare + 1, ',');
	if (bare == NULL || strncmp(bare + 1, "n=", 2) != 0)
		return NULL;
	bare += 3;
	end = strchr(bare, ',');
	if (end == NULL || end == bare)
		return NULL;
	name = take_text(bare, end - bare);
	return name != NULL && unescape_name(name) && *name != '\0' ? name : NULL;
}

/* Begin the server's exchange.  A role without a SCRAM secret gets one that does not fit anything. */
static void
begin_scram(BrokerConnection *client)
{
	SaslState  *state = client->sasl;
	MemoryContext old = MemoryContextSwitchTo(state->memory);

	state->port.user_name = state->demand.role;
	state->port.database_name = pstrdup("");
	state->port.remote_host = pgt_client_address_text(client);
	state->port.remote_port = pstrdup("");
	state->scram = pg_be_scram_mech.init(&state->port, mechanism_names[SASL_SCRAM], state->demand.verifier);
	MemoryContextSwitchTo(old);
}

/* What the server's code makes of a message. */
typedef struct ScramStep
{
	int			result;			/* PG_SASL_EXCHANGE_... */
	char	   *output;
	int			length;
	const char *detail;			/* of a failure, for the server's log */
} ScramStep;

/*
 * The server's code throws where a message is malformed.  It holds nothing but memory then, so
 * no transaction needs to be rolled back, in which others have appended; any other error is
 * thrown on.  Returns what is wrong.
 */
static const char *
catch_malformed(void)
{
	ErrorData  *error = CopyErrorData();

	if (error->sqlerrcode != ERRCODE_PROTOCOL_VIOLATION && error->sqlerrcode != ERRCODE_FEATURE_NOT_SUPPORTED &&
		error->sqlerrcode != ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION)
		PG_RE_THROW();
	FlushErrorState();
	return error->detail != NULL ? psprintf("%s: %s", error->message, error->detail) : error->message;
}

/* The client's last message repeats its nonce, and the server's code would not take it. */
static void
take_repeated(const SaslState *state, const char *message, ScramStep *step)
{
	step->output = pgt_scram_repeat_answer(&state->first, message, state->demand.verifier);
	step->length = step->output == NULL ? 0 : strlen(step->output);
	step->result = step->output == NULL ? PG_SASL_EXCHANGE_FAILURE : PG_SASL_EXCHANGE_SUCCESS;
	step->detail = "The password is wrong.";
}

/* Is the message such a one, for a role that has a password? */
static bool
is_repeated(const SaslState *state, const char *message, int length)
{
	return state->first.server_first != NULL && state->demand.verifier != NULL &&
		strlen(message) == length && pgt_scram_repeat_is(&state->first, message);
}

/* Give a message to the server's code. */
static void
take_scram_step(SaslState *state, const char *message, int length, ScramStep *step)
{
	MemoryContext old = MemoryContextSwitchTo(state->memory);

	memset(step, 0, sizeof(*step));
	if (is_repeated(state, message, length))
	{
		MemoryContextSwitchTo(old);
		take_repeated(state, message, step);
		return;
	}
	MyProcPort = &state->port;
	PG_TRY();
	{
		step->result = pg_be_scram_mech.exchange(state->scram, message, length,
												 &step->output, &step->length, &step->detail);
	}
	PG_CATCH();
	{
		MyProcPort = NULL;
		MemoryContextSwitchTo(old);
		step->detail = catch_malformed();
		step->result = PG_SASL_EXCHANGE_FAILURE;
	}
	PG_END_TRY();
	MyProcPort = NULL;
	MemoryContextSwitchTo(old);
}

/* Keep the first messages, without their heads. */
static void
note_first(SaslState *state, const char *message, const ScramStep *step)
{
	state->first.client_first = MemoryContextStrdup(state->memory, strchr(strchr(message, ',') + 1, ',') + 1);
	state->first.server_first = MemoryContextStrdup(state->memory, pnstrdup(step->output, step->length));
}

static void
serve_scram_step(BrokerRequest *request, const char *message, int length)
{
	BrokerConnection *client = request->client;
	ScramStep	step;

	take_scram_step(client->sasl, message, length, &step);
	switch (step.result)
	{
		case PG_SASL_EXCHANGE_CONTINUE:
			note_first(client->sasl, message, &step);
			answer(request, step.output, step.length, client->sasl->bare);
			break;
		case PG_SASL_EXCHANGE_SUCCESS:
			{
				AuthenticationDemand demand = client->sasl->demand;

				conclude(request, &demand, step.output, step.length);
				break;
			}
		default:
			answer_refusal(request, pgt_authentication_fail(client, &client->sasl->demand, step.detail));
	}
}

static void
serve_scram(BrokerRequest *request, const char *message, int length)
{
	BrokerConnection *client = request->client;
	MemoryContext old;
	const char *told;
	char	   *name;

	if (client->sasl->scram != NULL)
	{
		serve_scram_step(request, message, length);
		return;
	}
	name = scram_name(message);
	if (name == NULL)
	{
		answer_malformed(request, "malformed SCRAM message");
		return;
	}
	old = MemoryContextSwitchTo(client->sasl->memory);
	told = pgt_authentication_demand(client, name, CLIENT_RULE_PROOF_SCRAM, &client->sasl->demand);
	MemoryContextSwitchTo(old);
	if (told != NULL)
	{
		answer_refusal(request, pstrdup(told));
		return;
	}
	begin_scram(client);
	serve_scram_step(request, message, length);
}

/* ---- PLAIN ------------------------------------------------------------------ */

/* Go on comparing the password; also called when the request wakes. */
static void
continue_plain(BrokerRequest *request)
{
	PlainState *state = request->state;
	BrokerWait	wait = {.wake = continue_plain};

	pgt_turn_open();
	switch (pgt_password_check_continue(state->check))
	{
		case PASSWORD_RIGHT:
			conclude(request, &state->demand, "", 0);
			break;
		case PASSWORD_WRONG:
			answer_refusal(request, pgt_authentication_fail(request->client, &state->demand, "The password is wrong."));
			break;
		case PASSWORD_UNDECIDED:
			wait.deadline = pgt_clock_monotonic_us();
			pgt_broker_park(request, &wait);
	}
}

/* Compare the password, at once or when it is its turn. */
static void
begin_plain(BrokerRequest *request, PlainState *state)
{
	BrokerWait	wait = {.wake = continue_plain};

	request->state = state;
	if (pgt_password_check_is_known(state->check))
	{
		continue_plain(request);
		return;
	}
	wait.deadline = pgt_password_check_take_turn();
	if (wait.deadline == 0)
		pgt_broker_close(request, "too many passwords wait to be compared");
	else
		pgt_broker_park(request, &wait);
}

/* The client wants to be the role, and this is its password, which is erased. */
static void
serve_password(BrokerRequest *request, const char *role, char *password)
{
	PlainState *state = palloc0(sizeof(PlainState));
	const char *told = pgt_authentication_demand(request->client, role, CLIENT_RULE_PROOF_PLAIN, &state->demand);

	if (told == NULL && !state->demand.trusted)
		state->check = pgt_password_check_begin(state->demand.role, state->demand.verifier, password);
	explicit_bzero(password, strlen(password));
	if (told != NULL)
		answer_refusal(request, told);
	else if (state->demand.trusted)
		conclude(request, &state->demand, "", 0);
	else
		begin_plain(request, state);
}

/* The message is "[<other role>] 0 <role> 0 <password>". */
static void
serve_plain(BrokerRequest *request, const char *message, int length)
{
	const char *end = message + length;
	const char *name = memchr(message, '\0', length);
	const char *password = name == NULL ? NULL : memchr(name + 1, '\0', end - name - 1);
	char	   *role;
	char	   *secret;

	if (password == NULL || password == name + 1 || password + 1 == end)
	{
		answer_malformed(request, "malformed PLAIN message, or one without a name or a password");
		return;
	}
	role = take_text(name + 1, password - name - 1);
	secret = memchr(password + 1, '\0', end - password - 1) == NULL ? pnstrdup(password + 1, end - password - 1) : NULL;
	if (role == NULL || secret == NULL)
	{
		answer_malformed(request, "malformed PLAIN message");
		return;
	}
	if (name != message && (name - message != password - name - 1 || memcmp(message, name + 1, name - message) != 0))
	{
		answer_malformed(request, "a role cannot act as another one by PLAIN");
		return;
	}
	serve_password(request, role, secret);
}

/* ---- the APIs --------------------------------------------------------------- */

/* Is the mechanism there for this client? */
static bool
is_offered(const BrokerConnection *client, SaslMechanism mechanism)
{
	return mechanism != SASL_PLAIN || pgt_kafka_plain_without_tls || pgt_client_address_is_private(client);
}

/* The mechanism of a name, which is there for this client; or -1. */
static int
find_mechanism(const BrokerConnection *client, KafkaString name)
{
	for (int i = 0; i < SASL_MECHANISMS; i++)
		if (name.length == strlen(mechanism_names[i]) &&
			memcmp(name.data, mechanism_names[i], name.length) == 0 && is_offered(client, i))
			return i;
	return -1;
}

/* Tell which mechanisms there are. */
static void
list_mechanisms(BrokerRequest *request, KafkaSaslHandshakeResponse *response)
{
	KafkaString *names = palloc(SASL_MECHANISMS * sizeof(KafkaString));
	int			count = 0;

	for (int i = 0; i < SASL_MECHANISMS; i++)
		if (is_offered(request->client, i))
			names[count++] = pgt_broker_string(mechanism_names[i]);
	response->mechanisms.items = names;
	response->mechanisms.count = count;
}

static void
begin_exchange(BrokerConnection *client, SaslMechanism mechanism, bool bare)
{
	MemoryContext memory = AllocSetContextCreate(client->connection->memory, "pg_topics SASL exchange",
												 ALLOCSET_SMALL_SIZES);

	forget_exchange(client);
	client->sasl = MemoryContextAllocZero(memory, sizeof(SaslState));
	client->sasl->memory = memory;
	client->sasl->mechanism = mechanism;
	client->sasl->bare = bare;
}

static void
serve_handshake(BrokerRequest *request)
{
	KafkaSaslHandshakeRequest *body = request->kafka.body;
	KafkaSaslHandshakeResponse response;
	int			mechanism = find_mechanism(request->client, body->mechanism);

	pgt_authentication_begin_sasl(request->client);
	pgt_kafka_default_struct(KAFKA_SASL_HANDSHAKE_RESPONSE, &response);
	list_mechanisms(request, &response);
	if (mechanism >= 0)
	{
		begin_exchange(request->client, mechanism, request->kafka.version == 0);
		pgt_broker_answer(request, &response);
		return;
	}
	if (pgt_refusal_log_may(request->client))
		ereport(LOG,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("refused Kafka client %s: its SASL mechanism is not offered",
						pgt_client_address_text(request->client)),
				 errdetail("There is SCRAM-SHA-256 and, over TLS or on this machine, PLAIN."),
				 errhint("With \"pg_topics.kafka_plain_without_tls\" PLAIN is offered to all.")));
	response.error_code = KAFKA_ERROR_UNSUPPORTED_SASL_MECHANISM;
	pgt_broker_answer_and_close(request, &response);
}

/* A message of the exchange that is under way. */
static void
serve_message(BrokerRequest *request, const char *bytes, int length)
{
	char	   *message;

	if (length < 0 || length > MAX_TOKEN)
	{
		answer_malformed(request, "SASL message is too long");
		return;
	}
	pgt_turn_open();
	message = palloc(length + 1);
	if (length > 0)
		memcpy(message, bytes, length);
	message[length] = '\0';
	if (request->client->sasl->mechanism == SASL_PLAIN)
		serve_plain(request, message, length);
	else
		serve_scram(request, message, length);
}

static void
serve_authenticate(BrokerRequest *request)
{
	KafkaSaslAuthenticateRequest *body = request->kafka.body;

	if (request->client->sasl == NULL)
		answer_error(request, KAFKA_ERROR_ILLEGAL_SASL_STATE, "SaslAuthenticate must follow SaslHandshake");
	else
		serve_message(request, body->auth_bytes.data, body->auth_bytes.length);
}

bool
pgt_sasl_takes_frames(const BrokerConnection *client)
{
	return client->sasl != NULL && client->sasl->bare;
}

void
pgt_sasl_serve_frame(BrokerRequest *request)
{
	serve_message(request, request->exchange->frame, request->exchange->length);
}

const BrokerApi pgt_sasl_handshake_api = {.key = KAFKA_API_SASL_HANDSHAKE, .anonymous = true, .serve = serve_handshake};
const BrokerApi pgt_sasl_authenticate_api = {.key = KAFKA_API_SASL_AUTHENTICATE, .anonymous = true, .serve = serve_authenticate};
