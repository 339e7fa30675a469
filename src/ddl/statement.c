/*
 * statement.c
 *	  Running a statement that was made here.
 *
 * What SQL has a statement for is done by that statement: so its privileges, locks, event triggers and hooks
 * of others count, whoever asks for it, a function or a client of Kafka.
 */
#include "postgres.h"

#include "access/xact.h"
#include "ddl/statement.h"
#include "nodes/plannodes.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"

/* An error's place is one in our statement, which the user has not written. */
static void
hide_position(void *arg)
{
	errposition(0);
}

/* It does not go through SPI, which would show the statement as the context of each of its errors. */
void
pgt_statement_run_node(Node *statement, const char *text)
{
	ErrorContextCallback callback = {error_context_stack, hide_position, NULL};
	PlannedStmt *planned = makeNode(PlannedStmt);

	error_context_stack = &callback;
	planned->commandType = CMD_UTILITY;
	planned->canSetTag = true;
	planned->utilityStmt = statement;
	ProcessUtility(planned, text, false, PROCESS_UTILITY_QUERY, NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
	error_context_stack = callback.previous;
}

void
pgt_statement_run(const char *statement)
{
	pgt_statement_run_node(linitial_node(RawStmt, pg_parse_query(statement))->stmt, statement);
}
