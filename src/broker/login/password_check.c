/*
 * password_check.c
 *	  Whether a password is that of a role, found out bit by bit.
 *
 * The server stores what comes of 4,096 rounds of a hash or, as the setting scram_iterations says,
 * of many more.  A backend computes that in one go and takes 4 ms for it, in which the broker's
 * loop would serve nobody.  So it is computed here in slices: between two of them the loop goes
 * round.  What is computed is the server's own scheme, RFC 5802 with SHA-256.
 *
 *	  salted = U1 ^ U2 ^ ... ^ Un		U1 = HMAC(password, salt 00 00 00 01)
 *										Ui = HMAC(password, Ui-1)
 *	  right, if HMAC(salted, "Server Key") is the stored server key
 *
 * Passwords that were right are known for some time: not they, but the SHA-256 of a secret of
 * this process, the role, the verifier and the password.  A client that connects again costs one
 * hash.  ALTER ROLE changes the verifier, and so makes the entry one that nobody finds.  Wrong
 * passwords are not remembered; each one costs its guesser a turn, of which there are
 * TURNS_PER_SECOND after a first TURNS_AT_ONCE.  So guessing takes at most a tenth of the process,
 * and those who guess wait for each other.
 *
 * Memory: a check lies in its caller's context.  The table of known ones has KNOWN_ENTRIES
 * at most, and is emptied when it is full.
 */
#include "postgres.h"

#include "broker/login/password_check.h"
#include "common/base64.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/saslprep.h"
#include "common/scram-common.h"
#include "common/sha2.h"
#include "libpq/crypt.h"
#include "util/server_port.h"
#include "libpq/scram.h"
#include "util/clock.h"
#include "util/compat.h"
#include "utils/hsearch.h"

#define SLICE_ROUNDS		400		/* about 0.4 ms */
#define TURNS_PER_SECOND	25
#define TURNS_AT_ONCE		10
#define LONGEST_WAIT_US		(15 * INT64CONST(1000000))
#define KNOWN_ENTRIES		1024
#define MAX_SALT			1024

typedef struct Digest
{
	uint8		bytes[PG_SHA256_DIGEST_LENGTH];
} Digest;

struct PasswordCheck
{
	const char *role;
	const char *md5;			/* the verifier, if it is one of that kind, which needs no rounds */
	char	   *password;		/* prepared as RFC 5802 says, but for MD5; erased at the end */
	Digest		fingerprint;	/* under which the password is known, once it was right */
	PasswordVerdict verdict;
	int			rounds;
	int			round;			/* that is next */
	Digest		last;			/* U of the round before */
	Digest		salted;
	bool		mock;			/* there is no verifier, or no good one */
	uint8		salt[MAX_SALT + 4];
	int			salt_length;	/* with the 4 bytes of the block's number */
	uint8		server_key[PGT_SCRAM_KEY_LEN];
};

static HTAB *known = NULL;		/* set of Digest */

/* ---- hashes ----------------------------------------------------------------- */

/* An HMAC.  The context belongs to the current resource owner. */
static void
hmac(pg_hmac_ctx *context, const void *key, size_t key_length, const void *data, size_t length, Digest *result)
{
	if (pg_hmac_init(context, key, key_length) < 0 ||
		pg_hmac_update(context, data, length) < 0 ||
		pg_hmac_final(context, result->bytes, sizeof(result->bytes)) < 0)
		elog(ERROR, "could not compute an HMAC: %s", pg_hmac_error(context));
}

/* The secret of this process. */
static const Digest *
secret(void)
{
	static Digest random;
	static bool is_set = false;

	if (!is_set && !pg_strong_random(random.bytes, sizeof(random.bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes for a secret")));
	is_set = true;
	return &random;
}

/* Under what a right password is known.  The strings' zero bytes keep them apart. */
static void
compute_fingerprint(const char *role, const char *verifier, const char *password, Digest *result)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, secret()->bytes, sizeof(Digest)) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) role, strlen(role) + 1) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) verifier, strlen(verifier) + 1) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) password, strlen(password) + 1) < 0 ||
		pg_cryptohash_final(context, result->bytes, sizeof(result->bytes)) < 0)
		elog(ERROR, "could not compute a SHA-256: %s", pg_cryptohash_error(context));
	pg_cryptohash_free(context);
}

/* ---- what is known ---------------------------------------------------------- */

static bool
is_known(const Digest *fingerprint)
{
	return known != NULL && hash_search(known, fingerprint, HASH_FIND, NULL) != NULL;
}

static void
remember(const Digest *fingerprint)
{
	if (known != NULL && hash_get_num_entries(known) >= KNOWN_ENTRIES)
	{
		hash_destroy(known);
		known = NULL;
	}
	if (known == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Digest), .entrysize = sizeof(Digest)};

		known = hash_create("pg_topics known passwords", KNOWN_ENTRIES, &control, HASH_ELEM | HASH_BLOBS);
	}
	hash_search(known, fingerprint, HASH_ENTER, NULL);
}

/* ---- one check -------------------------------------------------------------- */

static char *
prepare(const char *password)
{
	char	   *prepared;

	return pg_saslprep(password, &prepared) == SASLPREP_SUCCESS ? prepared : pstrdup(password);
}

/* Take what the verifier says; false, if it is none of SCRAM. */
static bool
take_verifier(PasswordCheck *check, const char *verifier)
{
	char	   *salt;
	uint8		stored_key[PGT_SCRAM_KEY_LEN];
	int			length;

	if (!PGT_PARSE_SCRAM_SECRET(verifier, &check->rounds, &salt, stored_key, check->server_key))
		return false;
	if (strlen(salt) > MAX_SALT)
		return false;
	length = PGT_B64_DECODE(salt, strlen(salt), check->salt, MAX_SALT);
	if (length < 0)
		return false;
	check->salt_length = length;
	return true;
}

/* Make a check one that fails, and takes as long as with a verifier that was made with today's settings. */
static void
make_mock(PasswordCheck *check)
{
	check->mock = true;
	check->rounds = PGT_SCRAM_ROUNDS;
	check->salt_length = 16;
}

PasswordCheck *
pgt_password_check_begin(const char *role, const char *verifier, const char *password)
{
	PasswordCheck *check = palloc0(sizeof(PasswordCheck));

	check->role = role;
	compute_fingerprint(role, verifier != NULL ? verifier : "", password, &check->fingerprint);
	if (verifier != NULL && is_known(&check->fingerprint))
		check->verdict = PASSWORD_RIGHT;
	if (verifier != NULL && get_password_type(verifier) == PASSWORD_TYPE_MD5)
	{
		check->md5 = verifier;
		check->password = pstrdup(password);
		return check;
	}
	check->password = prepare(password);
	if (verifier == NULL || !take_verifier(check, verifier))
		make_mock(check);
	memcpy(check->salt + check->salt_length, "\0\0\0\1", 4);
	check->salt_length += 4;
	return check;
}

bool
pgt_password_check_is_known(const PasswordCheck *check)
{
	return check->verdict != PASSWORD_UNDECIDED;
}

/* The next rounds. */
static void
compute_slice(PasswordCheck *check, pg_hmac_ctx *context)
{
	size_t		length = strlen(check->password);
	int			end = Min(check->rounds - check->round, SLICE_ROUNDS) + check->round;

	for (; check->round < end; check->round++)
	{
		if (check->round == 0)
		{
			hmac(context, check->password, length, check->salt, check->salt_length, &check->last);
			check->salted = check->last;
			continue;
		}
		hmac(context, check->password, length, check->last.bytes, sizeof(Digest), &check->last);
		for (int i = 0; i < lengthof(check->salted.bytes); i++)
			check->salted.bytes[i] ^= check->last.bytes[i];
	}
}

/* All rounds are done: does the server's key fit? */
static bool
fits_server_key(const PasswordCheck *check, pg_hmac_ctx *context)
{
	Digest		key;

	hmac(context, check->salted.bytes, sizeof(Digest), "Server Key", strlen("Server Key"), &key);
	return !check->mock && memcmp(key.bytes, check->server_key, sizeof(Digest)) == 0;
}

static PasswordVerdict
continue_scram(PasswordCheck *check)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	PasswordVerdict verdict = PASSWORD_UNDECIDED;

	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	compute_slice(check, context);
	if (check->round >= check->rounds)
		verdict = fits_server_key(check, context) ? PASSWORD_RIGHT : PASSWORD_WRONG;
	pg_hmac_free(context);
	return verdict;
}

static PasswordVerdict
compare_md5(const PasswordCheck *check)
{
	const char *detail;

	return plain_crypt_verify(check->role, check->md5, check->password, &detail) == STATUS_OK ?
		PASSWORD_RIGHT : PASSWORD_WRONG;
}

PasswordVerdict
pgt_password_check_continue(PasswordCheck *check)
{
	if (check->verdict == PASSWORD_UNDECIDED)
	{
		check->verdict = check->md5 != NULL ? compare_md5(check) : continue_scram(check);
		if (check->verdict == PASSWORD_RIGHT)
			remember(&check->fingerprint);
	}
	if (check->verdict != PASSWORD_UNDECIDED)
		explicit_bzero(check->password, strlen(check->password));
	return check->verdict;
}

/* ---- turns ------------------------------------------------------------------ */

int64
pgt_password_check_take_turn(void)
{
	static int64 next = 0;		/* when the next turn is, if nobody comes sooner than the rate allows */
	const int64 interval = INT64CONST(1000000) / TURNS_PER_SECOND;
	int64		now = pgt_clock_monotonic_us();
	int64		turn = Max(next, now - TURNS_AT_ONCE * interval);

	if (turn > now + LONGEST_WAIT_US)
		return 0;
	next = turn + interval;
	return Max(turn, now);
}
