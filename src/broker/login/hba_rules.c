/*
 * hba_rules.c
 *	  The rules of pg_hba.conf: which one says how a role may connect.
 *
 * The server reads the file itself: it splits the lines into tokens, and makes rules of them.
 * What it does then, look for the rule of a connection, cannot be used here.  Its list of rules
 * lies in memory of the postmaster, which a background worker has freed before any code of ours
 * runs, while the server's pointer to it stays: loading the list again by load_hba() would free it
 * twice.  So this file keeps a list of its own, made by the same functions, and compares
 * connections with it as the server does:
 *
 *	  a rule fits if its kind, address, database and role all do, and the first one counts;
 *	  words such as "all", "sameuser" or "+role" count as such where they are not quoted;
 *	  superusers are members of the roles only that they were really made members of;
 *	  connections are never those of WAL senders, nor encrypted by GSSAPI.
 *
 * Host names are not looked up, as the process would have to wait for a name server: a rule that
 * has one is given to the caller as it is.  It may be a rule that rejects, so passing it over
 * would let in whom it keeps out.
 *
 * Memory: the rules lie in a context of their own, which a load replaces.
 */
#include "postgres.h"

#include "broker/login/hba_rules.h"
#include "common/ip.h"
#include "libpq/ifaddr.h"
#include "mb/pg_wchar.h"
#include "storage/fd.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"

static List *rules = NIL;		/* of HbaLine */
static MemoryContext rules_context = NULL;

/* ---- reading ---------------------------------------------------------------- */

/* Make a rule of each line, in the current context.  NIL if there is an error in one, or no line. */
static List *
parse_lines(List *lines)
{
	List	   *parsed = NIL;
	bool		is_sound = true;
	ListCell   *cell;

	foreach(cell, lines)
	{
		TokenizedAuthLine *line = lfirst(cell);
		HbaLine    *rule = line->err_msg == NULL ? parse_hba_line(line, LOG) : NULL;

		is_sound &= rule != NULL;
		if (rule != NULL)
			parsed = lappend(parsed, rule);
	}
	return is_sound ? parsed : NIL;
}

/* The rules of the file, in the context that is given; NIL if there are none, or has an error. */
static List *
read_rules(MemoryContext context)
{
	FILE	   *file = PGT_OPEN_AUTH_FILE(HbaFileName);
	List	   *lines = NIL;
	List	   *parsed;
	MemoryContext old;

	if (file == NULL)
		return NIL;
	PGT_TOKENIZE_AUTH_FILE(HbaFileName, file, &lines);
	old = MemoryContextSwitchTo(context);
	parsed = parse_lines(lines);
	MemoryContextSwitchTo(old);
	PGT_CLOSE_AUTH_FILE(file);
	return parsed;
}

void
pgt_hba_rules_load(void)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics tokens of pg_hba.conf",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "pg_topics rules of pg_hba.conf",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	List	   *loaded = read_rules(context);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	if (loaded == NIL)
	{
		MemoryContextDelete(context);
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not load \"%s\" for clients of Kafka", HbaFileName),
				 rules == NIL ? errdetail("None of them can connect.") :
				 errdetail("The rules that were loaded before stay in force.")));
		return;
	}
	if (rules_context != NULL)
		MemoryContextDelete(rules_context);
	rules_context = context;
	rules = loaded;
}

/* ---- addresses -------------------------------------------------------------- */

/* An address of a machine's interface, or of a range, that a client's may be the same as or lie in. */
typedef struct InterfaceSearch
{
	const SockAddr *address;
	bool		same_net;		/* or the same host */
	bool		found;
} InterfaceSearch;

/* Is the client's address in a range? */
static bool
is_in_range(const SockAddr *address, const struct sockaddr_storage *base, const struct sockaddr_storage *mask)
{
	return address->addr.ss_family == base->ss_family && pg_range_sockaddr(&address->addr, base, mask) != 0;
}

/* Copy an address of the size that its family has. */
static void
copy_address(struct sockaddr_storage *copy, const struct sockaddr *address)
{
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, address, address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
}

/* For pg_foreach_ifaddr(): one of the machine's own addresses. */
static void
compare_interface(struct sockaddr *address, struct sockaddr *mask, void *arg)
{
	InterfaceSearch *search = arg;
	struct sockaddr_storage base,
				bits;

	if (search->found || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
		return;
	copy_address(&base, address);
	if (!search->same_net || mask == NULL)
		pg_sockaddr_cidr_mask(&bits, NULL, address->sa_family);
	else
	{
		copy_address(&bits, mask);
		bits.ss_family = address->sa_family;
	}
	search->found = is_in_range(search->address, &base, &bits);
}

/* Has the client one of this machine's addresses, or one of its networks'? */
static bool
is_near(const SockAddr *address, bool same_net)
{
	InterfaceSearch search = {address, same_net, false};

	if (pg_foreach_ifaddr(compare_interface, &search) < 0)
	{
		ereport(LOG,
				(errcode_for_socket_access(),
				 errmsg("could not list this machine's network interfaces: %m")));
		return false;
	}
	return search.found;
}

static bool
fits_address(const HbaLine *rule, const SockAddr *address)
{
	switch (rule->ip_cmp_method)
	{
		case ipCmpAll:
			return true;
		case ipCmpSameHost:
		case ipCmpSameNet:
			return is_near(address, rule->ip_cmp_method == ipCmpSameNet);
		case ipCmpMask:
			return rule->hostname != NULL || is_in_range(address, &rule->addr, &rule->mask);
	}
	return false;
}

/* Does the rule speak of such connections?  No GSSAPI encrypts ours. */
static bool
fits_kind(const HbaLine *rule, bool tls)
{
	switch (rule->conntype)
	{
		case ctLocal:
		case ctHostGSS:
			return false;
		case ctHostSSL:
			return tls;
		case ctHostNoSSL:
			return !tls;
		case ctHost:
		case ctHostNoGSS:
			return true;
	}
	return false;
}

/* ---- names ------------------------------------------------------------------ */

static bool
is_keyword(const AuthToken *token, const char *keyword)
{
	return !token->quoted && strcmp(token->string, keyword) == 0;
}

/* Is it that name, or one that the token's regular expression takes? */
static bool
fits_name(const AuthToken *token, const char *name)
{
	regex_t    *regex = PGT_TOKEN_REGEX(token);
	pg_wchar   *wide;
	int			length;
	bool		fits;

	if (regex == NULL)
		return strcmp(token->string, name) == 0;
	wide = palloc((strlen(name) + 1) * sizeof(pg_wchar));
	length = pg_mb2wchar_with_len(name, wide, strlen(name));
	fits = pg_regexec(regex, wide, length, 0, NULL, 0, NULL, 0) == REG_OKAY;
	pfree(wide);
	return fits;
}

/* Is the role a member of another one?  Neither needs to exist. */
static bool
is_member(Oid role, const char *of)
{
	Oid			group = get_role_oid(of, true);

	return OidIsValid(role) && OidIsValid(group) && is_member_of_role_nosuper(role, group);
}

static bool
fits_database(const AuthToken *token, const HbaRulesQuestion *question, Oid role)
{
	if (is_keyword(token, "all"))
		return true;
	if (is_keyword(token, "sameuser"))
		return strcmp(question->database, question->role) == 0;
	if (is_keyword(token, "samerole") || is_keyword(token, "samegroup"))
		return is_member(role, question->database);
	if (is_keyword(token, "replication"))
		return false;
	return fits_name(token, question->database);
}

static bool
fits_role(const AuthToken *token, const HbaRulesQuestion *question, Oid role)
{
	if (!token->quoted && token->string[0] == '+')
		return is_member(role, token->string + 1);
	return is_keyword(token, "all") || fits_name(token, question->role);
}

/* Does one of the tokens fit? */
static bool
fits_any(const List *tokens, bool (*fits) (const AuthToken *token, const HbaRulesQuestion *question, Oid role),
		 const HbaRulesQuestion *question, Oid role)
{
	ListCell   *cell;

	foreach(cell, tokens)
		if (fits(lfirst(cell), question, role))
			return true;
	return false;
}

/* ---- the search ------------------------------------------------------------- */

const HbaLine *
pgt_hba_rules_find(const HbaRulesQuestion *question)
{
	Oid			role = get_role_oid(question->role, true);
	ListCell   *cell;

	foreach(cell, rules)
	{
		const HbaLine *rule = lfirst(cell);

		if (fits_kind(rule, question->tls) && fits_address(rule, question->address) &&
			fits_any(rule->databases, fits_database, question, role) &&
			fits_any(rule->roles, fits_role, question, role))
			return rule;
	}
	return NULL;
}
