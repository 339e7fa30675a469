/*
 * scram_repeat.c
 *	  The end of SCRAM with clients that repeat their nonce.
 *
 * In the client's last message librdkafka before 2.6.1, which kcat of some distributions and many programs still have,
 * puts its nonce before the one that the server has sent, in which it is already.
 *
 *	  server	r=<client's><server's>,s=<salt>,i=<rounds>
 *	  client	c=biws,r=<client's><client's><server's>,p=<proof>			should be r=<client's><server's>
 *
 * Kafka's brokers have long taken that, some since they looked only at how the nonce ends; from 4.0 on they do not.  The
 * server's code does not either, and as the proof covers the message that was sent, it cannot be put right
 * before.  Hence such a message, and no other, is looked at here, by RFC 5802:
 *
 *	  messages = client-first , server-first , client-final without the proof
 *	  proof ^ HMAC(stored key, messages) is a key whose SHA-256 is the stored key
 *
 * It is no weaker: the nonce is no other than the server's, and the proof covers it.
 */
#include "postgres.h"

#include "broker/login/scram_repeat.h"
#include "common/base64.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/scram-common.h"
#include "common/sha2.h"
#include "util/server_port.h"
#include "libpq/scram.h"
#include "util/compat.h"

#define HEAD	"c=biws,r="		/* no channel binding, and the nonce */
#define PROOF	",p="
#define KEY		PG_SHA256_DIGEST_LENGTH

/* The server's nonce, and its length; its message begins with it. */
static const char *
server_nonce(const ScramRepeat *messages, size_t *length)
{
	if (strncmp(messages->server_first, "r=", 2) != 0)
		return NULL;
	*length = strcspn(messages->server_first + 2, ",");
	return messages->server_first + 2;
}

/* The client's, in "n=<name>,r=<nonce>". */
static const char *
client_nonce(const ScramRepeat *messages, size_t *length)
{
	const char *nonce = strstr(messages->client_first, ",r=");

	if (nonce == NULL)
		return NULL;
	*length = strcspn(nonce + 3, ",");
	return nonce + 3;
}

bool
pgt_scram_repeat_is(const ScramRepeat *messages, const char *client_final)
{
	size_t		first,
				second;
	const char *client = client_nonce(messages, &first);
	const char *server = server_nonce(messages, &second);
	const char *nonce = client_final + strlen(HEAD);

	return client != NULL && server != NULL &&
		strncmp(client_final, HEAD, strlen(HEAD)) == 0 &&
		strncmp(nonce, client, first) == 0 && strncmp(nonce + first, server, second) == 0 &&
		strncmp(nonce + first + second, PROOF, strlen(PROOF)) == 0;
}

/* An HMAC of SHA-256. */
static void
hmac(const uint8 *key, const char *text, uint8 *result)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

	if (context == NULL || pg_hmac_init(context, key, KEY) < 0 ||
		pg_hmac_update(context, (const uint8 *) text, strlen(text)) < 0 ||
		pg_hmac_final(context, result, KEY) < 0)
		elog(ERROR, "could not compute an HMAC: %s", context == NULL ? "out of memory" : pg_hmac_error(context));
	pg_hmac_free(context);
}

static void
hash(const uint8 *bytes, uint8 *result)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, bytes, KEY) < 0 ||
		pg_cryptohash_final(context, result, KEY) < 0)
		elog(ERROR, "could not compute a SHA-256: %s", context == NULL ? "out of memory" : pg_cryptohash_error(context));
	pg_cryptohash_free(context);
}

/* "v=" and the server's signature, palloc'd. */
static char *
make_answer(const uint8 *server_key, const char *text)
{
	uint8		signature[KEY];
	char		encoded[2 * KEY];
	int			length;

	hmac(server_key, text, signature);
	length = PGT_B64_ENCODE(signature, KEY, encoded, sizeof(encoded));
	if (length < 0)
		elog(ERROR, "could not encode a signature");
	return psprintf("v=%.*s", length, encoded);
}

char *
pgt_scram_repeat_answer(const ScramRepeat *messages, const char *client_final, const char *verifier)
{
	const char *proof = strstr(client_final, PROOF);
	char	   *text = psprintf("%s,%s,%.*s", messages->client_first, messages->server_first,
								(int) (proof - client_final), client_final);
	int			rounds;
	char	   *salt;
	uint8		stored_key[PGT_SCRAM_KEY_LEN],
				server_key[PGT_SCRAM_KEY_LEN],
				signature[KEY],
				key[KEY],
				hashed[KEY];

	proof += strlen(PROOF);
	if (!PGT_PARSE_SCRAM_SECRET(verifier, &rounds, &salt, stored_key, server_key) ||
		PGT_B64_DECODE(proof, strlen(proof), key, KEY) != KEY)
		return NULL;
	hmac(stored_key, text, signature);
	for (int i = 0; i < KEY; i++)
		key[i] ^= signature[i];
	hash(key, hashed);
	return memcmp(hashed, stored_key, KEY) == 0 ? make_answer(server_key, text) : NULL;
}
