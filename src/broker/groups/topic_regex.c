/*
 * topic_regex.c
 *	  Regular expressions that Kafka's clients subscribe to.
 *
 * Kafka's brokers have RE2, and PostgreSQL has "advanced" regular expressions.  What topics' names are usually matched
 * with is the same in both.  Refused is what only one of them has, so that no pattern means two things:
 *
 *	  back references, look-ahead and look-behind		RE2 has none, as these may take any time
 *	  "***" at the beginning							says which kind of expression it is, in PostgreSQL
 *	  (?...) at the beginning with other letters		than i, m and s
 *	  \m \M \y \Y, \< and the like						PostgreSQL's own
 *	  \b \B \x..										something else in PostgreSQL
 *	  (?#...) [[.a.]] [[=a=]] [[:<:]] [[:>:]]			PostgreSQL's own
 *
 * PostgreSQL itself refuses what it does not have: \p{...}, named groups, flags in the midst of a pattern.
 *
 * A pattern matches a name as a whole.  Letters are those of ASCII, as in names.
 *
 * Without back references matching takes time by the length of the name, but a pattern can be made to grow when it is
 * compiled.  So both have LIMIT_MS, of the processor's time.
 */
#include "postgres.h"

#include <ctype.h>

#include "broker/core/cpu_limit.h"
#include "broker/groups/topic_regex.h"
#include "catalog/pg_collation.h"
#include "kafka/kafka_name.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "util/compat.h"

#define LIMIT_MS	200

struct TopicRegex
{
	regex_t		regex;
};

/* ---- what is not in both ------------------------------------------------------------ */

/* How many bytes do flags at the beginning take?  -1: they are not good. */
static int
flags_length(const char *pattern)
{
	size_t		letters;

	if (strncmp(pattern, "(?", 2) != 0 || pattern[2] < 'a' || pattern[2] > 'z')
		return 0;
	letters = strspn(pattern + 2, "ims");
	return pattern[2 + letters] == ')' ? (int) letters + 3 : -1;
}

/* Is it an escape that means the same in both?  What is no letter or digit stands for itself. */
static bool
is_common_escape(char c)
{
	if (c == '\0' || c == '<' || c == '>')
		return false;
	return !isalnum((unsigned char) c) || strchr("dDsSwWAafnrtv", c) != NULL;
}

/* What is wrong where a bracket stands between brackets?  *c moves to the end of a class's name. */
static const char *
find_in_bracket(const char **c)
{
	const char *end;

	if ((*c)[1] == '.' || (*c)[1] == '=')
		return "it has a collating element";
	if ((*c)[1] != ':')
		return NULL;
	if ((*c)[2] == '<' || (*c)[2] == '>')
		return "it has an escape that is not known";
	end = strstr(*c + 2, ":]");
	if (end != NULL)
		*c = end + 1;
	return NULL;
}

/* What is there that only PostgreSQL has?  NULL: nothing. */
static const char *
find_own_syntax(const char *pattern)
{
	const char *first = NULL;	/* behind a bracket that is open */

	for (const char *c = pattern; *c != '\0'; c++)
	{
		const char *problem = NULL;

		if (*c == '\\')
		{
			if (!is_common_escape(*++c))
				return "it has an escape that is not known";
		}
		else if (first == NULL && *c == '[')
			first = c + (c[1] == '^' ? 2 : 1);
		else if (first != NULL && *c == '[')
			problem = find_in_bracket(&c);
		else if (first != NULL && *c == ']' && c > first)
			first = NULL;
		else if (first == NULL && strncmp(c, "(?#", 3) == 0)
			problem = "it has a comment";
		if (problem != NULL)
			return problem;
	}
	return NULL;
}

/* What is wrong with the pattern, whatever the engine says?  NULL: nothing. */
static const char *
find_foreign(const char *pattern)
{
	if (strncmp(pattern, "***", 3) == 0)
		return "it begins with \"***\"";
	if (flags_length(pattern) < 0)
		return "the flags that it begins with are not i, m or s";
	return find_own_syntax(pattern);
}

/* ---- compiling ------------------------------------------------------------------------ */

void
pgt_topic_regex_begin(void)
{
	pgt_cpu_limit_begin(LIMIT_MS);
}

void
pgt_topic_regex_end(void)
{
	(void) pgt_cpu_limit_end();
}

/* A text of UTF-8 as wide characters: how many. */
static size_t
widen(const char *text, pg_wchar *wide)
{
	size_t		n = 0;

	for (const unsigned char *c = (const unsigned char *) text; *c != '\0'; c += pg_utf_mblen(c))
		wide[n++] = utf8_to_unicode(c);
	wide[n] = 0;
	return n;
}

/* Compile a text.  Returns the engine's code. */
static int
compile(regex_t *regex, const char *text)
{
	pg_wchar   *wide = palloc((strlen(text) + 1) * sizeof(pg_wchar));

	size_t		length = widen(text, wide);

	return pg_regcomp(regex, wide, length, REG_ADVANCED, C_COLLATION_OID);
}

/* What the engine says. */
static const char *
text_of_error(int code, const regex_t *regex)
{
	char		text[128];

	if (PGT_REGEX_IS_CANCELED(code))
		return "it takes too long";
	pg_regerror(code, regex, text, sizeof(text));
	return pstrdup(text);
}

/* What is wrong with the pattern by itself, as it would be hidden by what is put around it?  NULL: nothing. */
static const char *
find_problem(const char *pattern)
{
	const char *problem = find_foreign(pattern);
	regex_t		regex;
	int			code;

	if (problem != NULL)
		return problem;
	code = compile(&regex, pattern);
	if (code != REG_OKAY)
		return text_of_error(code, &regex);
	if ((regex.re_info & REG_UBACKREF) != 0)
		problem = "back references are not supported";
	else if ((regex.re_info & REG_ULOOKAROUND) != 0)
		problem = "look-ahead and look-behind are not supported";
	pg_regfree(&regex);
	return problem;
}

/* The same for a whole name. */
static const char *
anchor(const char *pattern)
{
	int			flags = flags_length(pattern);

	return psprintf("%.*s^(?:%s)$", flags, pattern, pattern + flags);
}

static TopicRegex *
compile_whole(const char *pattern, const char **problem)
{
	TopicRegex *whole = palloc0(sizeof(TopicRegex));
	int			code;

	*problem = find_problem(pattern);
	if (*problem != NULL)
		return NULL;
	code = compile(&whole->regex, anchor(pattern));
	if (code == REG_OKAY)
		return whole;
	*problem = text_of_error(code, &whole->regex);
	return NULL;
}

TopicRegex *
pgt_topic_regex_compile(KafkaString pattern, const char **problem)
{
	TopicRegex *volatile regex = NULL;

	if (pg_encoding_verifymbstr(PG_UTF8, pattern.data, pattern.length) != pattern.length)
	{
		*problem = "it is not UTF-8";
		return NULL;
	}
	pgt_topic_regex_begin();
	PG_TRY();
	{
		regex = compile_whole(pnstrdup(pattern.data, pattern.length), problem);
	}
	PG_FINALLY();
	{
		pgt_topic_regex_end();
	}
	PG_END_TRY();
	return regex;
}

/* ---- matching --------------------------------------------------------------------------- */

bool
pgt_topic_regex_matches(TopicRegex *regex, const char *name)
{
	pg_wchar	short_one[KAFKA_NAME_MAX_TOPIC + 1];
	bool		is_short = strlen(name) <= KAFKA_NAME_MAX_TOPIC;
	pg_wchar   *wide = is_short ? short_one : palloc((strlen(name) + 1) * sizeof(pg_wchar));
	size_t		length = widen(name, wide);
	int			code = pg_regexec(&regex->regex, wide, length, 0, NULL, 0, NULL, 0);

	if (!is_short)
		pfree(wide);
	if (code != REG_OKAY && code != REG_NOMATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
				 errmsg("could not match a regular expression of a Kafka client: %s", text_of_error(code, &regex->regex))));
	return code == REG_OKAY;
}

void
pgt_topic_regex_free(TopicRegex *regex)
{
	pg_regfree(&regex->regex);
	pfree(regex);
}
