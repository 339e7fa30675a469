/*
 * statement.h
 *	  Running a statement that was made here.
 */
#ifndef STATEMENT_H
#define STATEMENT_H

#include "nodes/nodes.h"

/* Run a utility statement as the current user, within a transaction; what it has done is visible afterwards. */
extern void pgt_statement_run(const char *statement);

/*
 * The same for a statement that is no text yet.  "text" is what others are told of it, as extensions that log or
 * count statements.
 */
extern void pgt_statement_run_node(Node *statement, const char *text);

#endif							/* STATEMENT_H */
