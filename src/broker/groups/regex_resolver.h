/*
 * regex_resolver.h
 *	  Which topics do regular expressions of a consumer group match?
 */
#ifndef REGEX_RESOLVER_H
#define REGEX_RESOLVER_H

#include "broker/core/broker.h"
#include "coordinator/modern_group.h"

typedef struct RegexResolver RegexResolver;

typedef enum RegexResolverStep
{
	REGEX_RESOLVER_DONE,
	REGEX_RESOLVER_MORE,		/* the slice is over */
	REGEX_RESOLVER_FAILED		/* the new expression is not good */
} RegexResolverStep;

/*
 * Begin to match a new expression, which may be empty or null, and with "all" those of a group, with the topics that the
 * request's client may read.
 */
extern RegexResolver *pgt_regex_resolver_begin(BrokerRequest *request, KafkaString new_pattern, const ModernGroup *group,
											   bool all);

/* Go on, in a transaction.  With REGEX_RESOLVER_FAILED, *problem says why. */
extern RegexResolverStep pgt_regex_resolver_go_on(RegexResolver *resolver, const char **problem);

/* Tell the group, and its world, what was found. */
extern void pgt_regex_resolver_take(const RegexResolver *resolver, ModernGroup *group, ModernWorld *world);

extern void pgt_regex_resolver_free(RegexResolver *resolver);

#endif							/* REGEX_RESOLVER_H */
