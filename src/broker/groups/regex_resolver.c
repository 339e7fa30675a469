/*
 * regex_resolver.c
 *	  Which topics do regular expressions of a consumer group match?
 *
 * The names of topics are listed, and then the expressions are compiled and matched with them one after the other, all of
 * that in slices: a group may have thousands, each of which can be made to take long.  A topic counts that the client may
 * read by whose request they are matched, as in Kafka, and by the name that clients know.
 *
 * An expression that takes too long is refused, if it is new.  One that the group has already, and that does so
 * now, keeps what it has matched before.
 *
 * Memory: of the request.  There is one compiled expression at a time, as it may be large.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/regex_resolver.h"
#include "broker/groups/topic_regex.h"
#include "topic/topic.h"

typedef struct ResolverPattern
{
	KafkaString pattern;
	bool		is_new;
	bool		is_good;		/* so far */
	char	  **names;			/* that it matches */
	int			count;
	int			room;
} ResolverPattern;

struct RegexResolver
{
	BrokerRequest *request;
	List	   *topics;			/* oids; NIL: not listed yet */
	int			next_topic;
	char	  **names;			/* of those that the client may read */
	int			name_count;

	ResolverPattern *patterns;
	int			pattern_count;
	int			current;		/* the pattern that is being worked at */
	TopicRegex *regex;			/* made of it; NULL: not yet */
	int			next_name;		/* that it is to be matched with */
	const char *problem;		/* of the new one */
};

RegexResolver *
pgt_regex_resolver_begin(BrokerRequest *request, KafkaString new_pattern, const ModernGroup *group, bool all)
{
	RegexResolver *resolver = palloc0(sizeof(RegexResolver));
	int			count = all && group != NULL ? group->regex_count : 0;
	bool		is_new = new_pattern.length > 0 && (group == NULL || pgt_modern_group_find_regex(group, new_pattern) == NULL);

	if (count == 0 && !is_new)
		return NULL;
	resolver->request = request;
	resolver->patterns = palloc0((count + 1) * sizeof(ResolverPattern));
	for (int i = 0; i < count; i++)
		resolver->patterns[i].pattern = pgt_broker_string(pstrdup(group->regexes[i]->pattern));
	resolver->pattern_count = count + is_new;
	if (is_new)
	{
		resolver->patterns[count].pattern = new_pattern;
		resolver->patterns[count].is_new = true;
	}
	return resolver;
}

/* ---- working ------------------------------------------------------------------------ */

/* List the names that the client may know.  False if the slice is over before. */
static bool
list_names(RegexResolver *resolver)
{
	if (resolver->topics == NIL)
	{
		resolver->topics = pgt_topic_list();
		resolver->names = MemoryContextAllocHuge(CurrentMemoryContext, (list_length(resolver->topics) + 1) * sizeof(char *));
	}
	while (resolver->next_topic < list_length(resolver->topics))
	{
		Oid			topic = list_nth_oid(resolver->topics, resolver->next_topic++);
		char	   *name = pgt_access_topic(resolver->request->client, topic, ACL_SELECT) ? pgt_topic_names_of(topic) : NULL;

		if (name != NULL)
			resolver->names[resolver->name_count++] = name;
		if (pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

static void
add_match(ResolverPattern *pattern, char *name)
{
	if (pattern->count == pattern->room)
	{
		int			room = Max(16, pattern->room * 2);

		pattern->names = pattern->names == NULL ? palloc(room * sizeof(char *)) :
			repalloc_huge(pattern->names, room * sizeof(char *));
		pattern->room = room;
	}
	pattern->names[pattern->count++] = name;
}

/* Match the pattern with the names that are left.  False if the slice is over before. */
static bool
match_names(RegexResolver *resolver, ResolverPattern *pattern)
{
	bool		more = false;

	pgt_topic_regex_begin();
	while (resolver->next_name < resolver->name_count && !more)
	{
		char	   *name = resolver->names[resolver->next_name++];

		if (pgt_topic_regex_matches(resolver->regex, name))
			add_match(pattern, name);
		more = pgt_broker_slice_is_over();
	}
	pgt_topic_regex_end();
	return resolver->next_name >= resolver->name_count;
}

/* Go on to the next pattern. */
static void
end_pattern(RegexResolver *resolver)
{
	if (resolver->regex != NULL)
		pgt_topic_regex_free(resolver->regex);
	resolver->regex = NULL;
	resolver->next_name = 0;
	resolver->current++;
}

/* Work at the current pattern.  False if the slice is over before. */
static bool
work_at_pattern(RegexResolver *resolver)
{
	ResolverPattern *pattern = &resolver->patterns[resolver->current];

	if (resolver->regex == NULL)
	{
		const char *problem;

		resolver->regex = pgt_topic_regex_compile(pattern->pattern, &problem);
		pattern->is_good = resolver->regex != NULL;
		if (!pattern->is_good && pattern->is_new)
			resolver->problem = problem;
	}
	else if (!match_names(resolver, pattern))
		return false;
	else
		end_pattern(resolver);
	if (!pattern->is_good)
		end_pattern(resolver);
	return !pgt_broker_slice_is_over();
}

/* What is done in a slice; it may throw errors. */
static void
work(void *arg)
{
	RegexResolver *resolver = arg;

	if (!list_names(resolver))
		return;
	while (resolver->current < resolver->pattern_count && resolver->problem == NULL)
		if (!work_at_pattern(resolver))
			return;
}

/* An expression has taken too long, or something else has failed. */
static void
give_up(RegexResolver *resolver, const ErrorData *error)
{
	ResolverPattern *pattern = &resolver->patterns[resolver->current];

	if (resolver->current >= resolver->pattern_count || resolver->next_topic < list_length(resolver->topics) || pattern->is_new)
	{
		resolver->problem = error->sqlerrcode == ERRCODE_QUERY_CANCELED ? "it takes too long" : error->message;
		return;
	}
	pattern->is_good = false;
	end_pattern(resolver);
}

RegexResolverStep
pgt_regex_resolver_go_on(RegexResolver *resolver, const char **problem)
{
	MemoryContext caller = MemoryContextSwitchTo(resolver->request->memory);
	ErrorData  *error;

	if (!pgt_turn_try_quietly(work, resolver, &error))
	{
		pgt_topic_regex_end();
		give_up(resolver, error);
	}
	MemoryContextSwitchTo(caller);
	pgt_turn_open();
	*problem = resolver->problem;
	if (resolver->problem != NULL)
		return REGEX_RESOLVER_FAILED;
	return resolver->current >= resolver->pattern_count ? REGEX_RESOLVER_DONE : REGEX_RESOLVER_MORE;
}

/* ---- what was found -------------------------------------------------------------------- */

void
pgt_regex_resolver_take(const RegexResolver *resolver, ModernGroup *group, ModernWorld *world)
{
	for (int i = 0; i < resolver->pattern_count; i++)
	{
		const ResolverPattern *pattern = &resolver->patterns[i];
		ModernRegex *known = pgt_modern_group_find_regex(group, pattern->pattern);

		if (known != NULL && pattern->is_good)
			pgt_modern_group_set_matches(group, known, pattern->names, pattern->count);
		else if (known == NULL && pattern->is_new)
		{
			world->matches = pattern->names;
			world->match_count = pattern->count;
		}
	}
}

void
pgt_regex_resolver_free(RegexResolver *resolver)
{
	if (resolver->regex != NULL)
		pgt_topic_regex_free(resolver->regex);
	resolver->regex = NULL;
}
