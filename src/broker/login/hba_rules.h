/*
 * hba_rules.h
 *	  The rules of pg_hba.conf: which one says how a role may connect.
 */
#ifndef HBA_RULES_H
#define HBA_RULES_H

#include "libpq/hba.h"

/* Who wants to connect, and from where. */
typedef struct HbaRulesQuestion
{
	const SockAddr *address;	/* of the client */
	bool		tls;
	const char *database;
	const char *role;			/* which need not exist */
} HbaRulesQuestion;

/*
 * Read pg_hba.conf.  If it cannot be read, or has an error, that is logged, and the rules
 * that were read before stay; at first these are none.  Called outside of a transaction.
 */
extern void pgt_hba_rules_load(void);

/*
 * The first rule that fits, or NULL.  It stays until the next load.  Where it has a host
 * name, only that was not compared: whoever asks must not take the rule as one that lets
 * somebody in.  Called in a transaction.
 */
extern const HbaLine *pgt_hba_rules_find(const HbaRulesQuestion *question);

#endif							/* HBA_RULES_H */
