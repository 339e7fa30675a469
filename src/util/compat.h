/*
 * compat.h
 *	  The differences between PostgreSQL's majors: no other file has an #if for a
 *	  version.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "storage/lock.h"
#include "storage/proc.h"
#if PG_VERSION_NUM >= 170000
#include "storage/procarray.h"
#else
#include "storage/sinvaladt.h"
#endif
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_namespace.h"
#include "varatt.h"				/* was part of postgres.h */
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"	/* were part of commands/explain.h */
#include "commands/explain_state.h"
#include "tcop/backend_startup.h"
#endif
#if PG_VERSION_NUM >= 190000
#include "nodes/miscnodes.h"
#include "utils/date.h"
#include "utils/timestamp.h"
#endif

/* stands before a declaration since 18, and did behind it */
#if PG_VERSION_NUM < 180000 && !defined(pg_noreturn)
#define pg_noreturn		__attribute__((noreturn))
#endif

/* ---- processes and transaction ids ---------------------------------------- */

/* the local transaction id moved into a struct in 17 */
#if PG_VERSION_NUM >= 170000
#define PGT_MY_LXID		(MyProc->vxid.lxid)
#else
#define PGT_MY_LXID		(MyProc->lxid)
#endif

/* the shared transaction-id state was renamed in 17 */
#if PG_VERSION_NUM >= 170000
#define PGT_TRANSAM			TransamVariables
#else
#define PGT_TRANSAM			ShmemVariableCache
#endif
#define PGT_OLDEST_CLOG_XID	(PGT_TRANSAM->oldestClogXid)

/* the list of free entries of WAL senders: a chain of its own till 15, and its link was renamed in 19 */
static inline PGPROC *
pgt_pop_walsender_proc(void)
{
#if PG_VERSION_NUM >= 190000
	return dlist_container(PGPROC, freeProcsLink, dlist_pop_head_node(&ProcGlobal->walsenderFreeProcs));
#elif PG_VERSION_NUM >= 160000
	return dlist_container(PGPROC, links, dlist_pop_head_node(&ProcGlobal->walsenderFreeProcs));
#else
	PGPROC	   *proc = ProcGlobal->walsenderFreeProcs;

	ProcGlobal->walsenderFreeProcs = (PGPROC *) proc->links.next;
	return proc;
#endif
}

/* an entry that is no backend's, as those of prepared transactions */
#if PG_VERSION_NUM >= 170000
#define PGT_SET_NO_BACKEND(proc)	((proc)->vxid.procNumber = INVALID_PROC_NUMBER)
#else
#define PGT_SET_NO_BACKEND(proc)	((proc)->backendId = InvalidBackendId)
#endif

/* the process of a virtual transaction id; NULL where it is a prepared transaction's, or has ended */
static inline PGPROC *
pgt_vxid_proc(const VirtualTransactionId *vxid)
{
#if PG_VERSION_NUM >= 170000
	return vxid->procNumber == INVALID_PROC_NUMBER ? NULL : ProcNumberGetProc(vxid->procNumber);
#else
	return vxid->backendId == InvalidBackendId ? NULL : BackendIdGetProc(vxid->backendId);
#endif
}

/* does this transaction hold the lock in this mode?  17 may count stronger ones */
#if PG_VERSION_NUM >= 170000
#define PGT_LOCK_HELD_BY_ME(tag, mode)	LockHeldByMe(tag, mode, false)
#else
#define PGT_LOCK_HELD_BY_ME(tag, mode)	LockHeldByMe(tag, mode)
#endif

/* 18 marks who is no regular backend, a background worker among them; 19 says what each one is */
#if PG_VERSION_NUM >= 190000
#define PGT_IS_BACKGROUND_WORKER(proc)	((proc)->backendType == B_BG_WORKER)
#elif PG_VERSION_NUM >= 180000
#define PGT_IS_BACKGROUND_WORKER(proc)	(!(proc)->isRegularBackend)
#else
#define PGT_IS_BACKGROUND_WORKER(proc)	((proc)->isBackgroundWorker)
#endif

/* 19 asks whether only transactions that commit count, and whether those of all databases do */
#if PG_VERSION_NUM >= 190000
#define PGT_OLDEST_ACTIVE_XID()		GetOldestActiveTransactionId(false, true)
#else
#define PGT_OLDEST_ACTIVE_XID()		GetOldestActiveTransactionId()
#endif

/* what a signal handler passes on to another one: 19 added who sent the signal */
#if PG_VERSION_NUM >= 190000
#define PGT_SIGNAL_PASS				postgres_signal_arg, pg_siginfo
#else
#define PGT_SIGNAL_PASS				postgres_signal_arg
#endif

/* a set to wait for that lives as long as the process: 17 has a resource owner for shorter-lived ones */
#if PG_VERSION_NUM >= 170000
#define PGT_CREATE_WAIT_EVENT_SET(count)	CreateWaitEventSet(NULL, count)
#else
#define PGT_CREATE_WAIT_EVENT_SET(count)	CreateWaitEventSet(TopMemoryContext, count)
#endif

/* ---- shared memory -------------------------------------------------------- */

/* a new tranche of locks: 19 wants its name at once */
static inline int
pgt_new_tranche(const char *name)
{
#if PG_VERSION_NUM >= 190000
	return LWLockNewTrancheId(name);
#else
	int			tranche = LWLockNewTrancheId();

	LWLockRegisterTranche(tranche, name);
	return tranche;
#endif
}

/* 19 knows one size only */
#if PG_VERSION_NUM >= 190000
#define PGT_SHMEM_HASH(name, size, info, flags)	ShmemInitHash(name, size, info, flags)
#else
#define PGT_SHMEM_HASH(name, size, info, flags)	ShmemInitHash(name, size, size, info, flags)
#endif

/* ---- catalogs and tables -------------------------------------------------- */

/* 16 has one function for objects of all kinds */
#if PG_VERSION_NUM >= 160000
#define PGT_OWNS_RELATION(relid, role)	object_ownercheck(RelationRelationId, relid, role)
#define PGT_OWNS_DATABASE(dbid, role)	object_ownercheck(DatabaseRelationId, dbid, role)
#else
#define PGT_OWNS_RELATION(relid, role)	pg_class_ownercheck(relid, role)
#define PGT_OWNS_DATABASE(dbid, role)	pg_database_ownercheck(dbid, role)
#endif

/* may a role do that with a function?  16 has one function for objects of all kinds here as well */
#if PG_VERSION_NUM >= 160000
#define PGT_FUNCTION_ACLCHECK(function, role, mode) \
	object_aclcheck(ProcedureRelationId, function, role, mode)
#else
#define PGT_FUNCTION_ACLCHECK(function, role, mode)	pg_proc_aclcheck(function, role, mode)
#endif

/* ERROR unless a role can give what it owns to another one: from 16 on it must be able to SET ROLE to it */
#if PG_VERSION_NUM >= 160000
#define PGT_CHECK_CAN_BECOME(member, role)	check_can_set_role(member, role)
#else
#define PGT_CHECK_CAN_BECOME(member, role)	check_is_member_of_role(member, role)
#endif

/* 18 asks whether a deferrable one will do */
#if PG_VERSION_NUM >= 180000
#define PGT_PRIMARY_KEY_INDEX(table)	RelationGetPrimaryKeyIndex(table, false)
#else
#define PGT_PRIMARY_KEY_INDEX(table)	RelationGetPrimaryKeyIndex(table)
#endif

/* a column whose value is computed when it is read and in no stored row; since 18 */
#if PG_VERSION_NUM >= 180000
#define PGT_IS_VIRTUAL(attribute)	((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define PGT_IS_VIRTUAL(attribute)	false
#endif

/* 16 tells which indexes need a new entry; the new row's being heap-only tells as well */
#if PG_VERSION_NUM >= 160000
#define PGT_HEAP_UPDATE(table, tid, row) \
	simple_heap_update(table, tid, row, &(TU_UpdateIndexes) {TU_None})
#else
#define PGT_HEAP_UPDATE(table, tid, row)	simple_heap_update(table, tid, row)
#endif

/* flags for reading, deleting and pruning rows came with 19 */
#if PG_VERSION_NUM >= 190000
#define PGT_TUPLE_SLOT(desc, ops)	MakeTupleTableSlot(desc, ops, 0)
#define PGT_BEGIN_SCAN(table, snapshot)	table_beginscan(table, snapshot, 0, NULL, SO_NONE)
#define PGT_TUPLE_DELETE(table, tid, command, snapshot, failure) \
	table_tuple_delete(table, tid, command, 0, snapshot, InvalidSnapshot, true, failure)
#define PGT_PRUNE_PAGE(table, buffer) \
	do { \
		Buffer		pgt_map = InvalidBuffer; \
		heap_page_prune_opt(table, buffer, &pgt_map, false); \
		if (BufferIsValid(pgt_map)) \
			ReleaseBuffer(pgt_map); \
	} while (0)
#else
#define PGT_TUPLE_SLOT(desc, ops)	MakeTupleTableSlot(desc, ops)
#define PGT_BEGIN_SCAN(table, snapshot)	table_beginscan(table, snapshot, 0, NULL)
#define PGT_TUPLE_DELETE(table, tid, command, snapshot, failure) \
	table_tuple_delete(table, tid, command, snapshot, InvalidSnapshot, true, failure, false)
#define PGT_PRUNE_PAGE(table, buffer)	heap_page_prune_opt(table, buffer)
#endif

/* all functions of a name; 19 also tells why there are none */
#if PG_VERSION_NUM >= 190000
#define PGT_FUNCTIONS_NAMED(names) \
	FuncnameGetCandidates(names, -1, NIL, false, false, false, true, &(int) {0})
#else
#define PGT_FUNCTIONS_NAMED(names) \
	FuncnameGetCandidates(names, -1, NIL, false, false, false, true)
#endif

/* the search path that something was found with: renamed in 17 */
#if PG_VERSION_NUM >= 170000
#define PgtSearchPath				SearchPathMatcher
#define PGT_SEARCH_PATH(context)	GetSearchPathMatcher(context)
#define PGT_IS_SEARCH_PATH(path)	SearchPathMatchesCurrentEnvironment(path)
#else
#define PgtSearchPath				OverrideSearchPath
#define PGT_SEARCH_PATH(context)	GetOverrideSearchPath(context)
#define PGT_IS_SEARCH_PATH(path)	OverrideSearchPathMatchesCurrent(path)
#endif

/* ---- authentication ------------------------------------------------------- */

/* may a role do that with a database, a schema or a foreign server?  16 has one function for objects of all kinds */
#if PG_VERSION_NUM >= 160000
#define PGT_DATABASE_ACLCHECK(database, role, mode) \
	object_aclcheck(DatabaseRelationId, database, role, mode)
#define PGT_SCHEMA_ACLCHECK(schema, role, mode) \
	object_aclcheck(NamespaceRelationId, schema, role, mode)
#define PGT_SERVER_ACLCHECK(server, role, mode) \
	object_aclcheck(ForeignServerRelationId, server, role, mode)
#else
#define PGT_DATABASE_ACLCHECK(database, role, mode)	pg_database_aclcheck(database, role, mode)
#define PGT_SCHEMA_ACLCHECK(schema, role, mode)		pg_namespace_aclcheck(schema, role, mode)
#define PGT_SERVER_ACLCHECK(server, role, mode)		pg_foreign_server_aclcheck(server, role, mode)
#endif

/* is it to be logged that a client was authorized?  18 logs connections by kinds of events */
#if PG_VERSION_NUM >= 180000
#define PGT_LOG_CONNECTIONS			((log_connections & LOG_CONNECTION_AUTHORIZATION) != 0)
#else
#define PGT_LOG_CONNECTIONS			Log_connections
#endif

/*
 * The lines of pg_hba.conf.  16 reads files that include others, and opens them itself; a name
 * there may be a regular expression.  Till 15 the tokens lie in the current context.
 */
#if PG_VERSION_NUM >= 160000
#define PGT_OPEN_AUTH_FILE(name)	open_auth_file(name, LOG, 0, NULL)
#define PGT_TOKENIZE_AUTH_FILE(name, file, lines)	tokenize_auth_file(name, file, lines, LOG, 0)
#define PGT_CLOSE_AUTH_FILE(file)	free_auth_file(file, 0)
#define PGT_TOKEN_REGEX(token)		((token)->regex)
#else
#define PGT_OPEN_AUTH_FILE(name)	AllocateFile(name, "r")
#define PGT_TOKENIZE_AUTH_FILE(name, file, lines)	((void) tokenize_auth_file(name, file, lines, LOG))
#define PGT_CLOSE_AUTH_FILE(file)	((void) FreeFile(file))
#define PGT_TOKEN_REGEX(token)		((regex_t *) NULL)
#endif

/* what a stored SCRAM secret has in it: since 16 the hash and the length of keys as well, which have one value so far */
#if PG_VERSION_NUM >= 160000
#define PGT_SCRAM_KEY_LEN			SCRAM_MAX_KEY_LEN
#define PGT_PARSE_SCRAM_SECRET(secret, iterations, salt, stored_key, server_key) \
	parse_scram_secret(secret, iterations, &(pg_cryptohash_type) {PG_SHA256}, &(int) {0}, salt, \
					   stored_key, server_key)
#else
#define PGT_SCRAM_KEY_LEN			SCRAM_KEY_LEN
#define PGT_PARSE_SCRAM_SECRET(secret, iterations, salt, stored_key, server_key) \
	parse_scram_secret(secret, iterations, salt, stored_key, server_key)
#endif

/* how many rounds new secrets of SCRAM have: a setting since 16 */
#if PG_VERSION_NUM >= 160000
#define PGT_SCRAM_ROUNDS			scram_sha_256_iterations
#else
#define PGT_SCRAM_ROUNDS			SCRAM_DEFAULT_ITERATIONS
#endif

/* base64 takes and gives bytes, which were characters till 17 */
#if PG_VERSION_NUM >= 180000
#define PGT_B64_DECODE(text, length, bytes, room)	pg_b64_decode(text, length, bytes, room)
#define PGT_B64_ENCODE(bytes, length, text, room)	pg_b64_encode(bytes, length, text, room)
#else
#define PGT_B64_DECODE(text, length, bytes, room)	pg_b64_decode(text, length, (char *) (bytes), room)
#define PGT_B64_ENCODE(bytes, length, text, room)	pg_b64_encode((const char *) (bytes), length, text, room)
#endif

/* ---- planning ------------------------------------------------------------- */

/* a scan without remote joins, of all columns: 17 added conditions of joins, 18 disabled nodes */
#if PG_VERSION_NUM >= 180000
#define PGT_SCAN_PATH(root, rel, rows, startup, total, pathkeys, outer) \
	create_foreignscan_path(root, rel, NULL, rows, 0, startup, total, pathkeys, outer, NULL, NIL, NIL)
#elif PG_VERSION_NUM >= 170000
#define PGT_SCAN_PATH(root, rel, rows, startup, total, pathkeys, outer) \
	create_foreignscan_path(root, rel, NULL, rows, startup, total, pathkeys, outer, NULL, NIL, NIL)
#else
#define PGT_SCAN_PATH(root, rel, rows, startup, total, pathkeys, outer) \
	create_foreignscan_path(root, rel, NULL, rows, startup, total, pathkeys, outer, NULL, NIL)
#endif

/* the same for what a scan does beyond scanning */
#if PG_VERSION_NUM >= 180000
#define PGT_UPPER_PATH(root, rel, target, rows, startup, total) \
	create_foreign_upper_path(root, rel, target, rows, 0, startup, total, NIL, NULL, NIL, NIL)
#elif PG_VERSION_NUM >= 170000
#define PGT_UPPER_PATH(root, rel, target, rows, startup, total) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, NIL, NULL, NIL, NIL)
#else
#define PGT_UPPER_PATH(root, rel, target, rows, startup, total) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, NIL, NULL, NIL)
#endif

/* 18 has comparisons of any index in place of a btree's strategy numbers */
#if PG_VERSION_NUM >= 180000
#define PGT_PATHKEY_ASCENDS(pathkey)	((pathkey)->pk_cmptype == COMPARE_LT)
#else
#define PGT_PATHKEY_ASCENDS(pathkey)	((pathkey)->pk_strategy == BTLessStrategyNumber)
#endif

/* how many elements an array may have: a whole number without the query till 16 */
#if PG_VERSION_NUM >= 170000
#define PGT_ARRAY_LENGTH(root, array)	estimate_array_length(root, array)
#else
#define PGT_ARRAY_LENGTH(root, array)	estimate_array_length(array)
#endif

/* ---- values --------------------------------------------------------------- */

/* a time without a zone and a date as timestamptz, an infinity beyond its range: other functions in 19 */
#if PG_VERSION_NUM >= 190000
#define PGT_TIMESTAMP_TO_TIMESTAMPTZ(value) \
	timestamp2timestamptz_safe(value, (Node *) &(ErrorSaveContext) {T_ErrorSaveContext})
#define PGT_DATE_TO_TIMESTAMPTZ(value) \
	date2timestamptz_safe(value, (Node *) &(ErrorSaveContext) {T_ErrorSaveContext})
#else
#define PGT_TIMESTAMP_TO_TIMESTAMPTZ(value)	timestamp2timestamptz_opt_overflow(value, &(int) {0})
#define PGT_DATE_TO_TIMESTAMPTZ(value)		date2timestamptz_opt_overflow(value, &(int) {0})
#endif

/* a jsonb value under construction: since 19 one struct holds the state and the result */
#if PG_VERSION_NUM >= 190000
#define PgtJsonb						JsonbInState
#define PGT_JSONB_PUSH(json, token, value)	pushJsonbValue(&(json), token, value)
#else
typedef struct PgtJsonb
{
	struct JsonbParseState *parseState;
	struct JsonbValue *result;
} PgtJsonb;

#define PGT_JSONB_PUSH(json, token, value) \
	((json).result = pushJsonbValue(&(json).parseState, token, value))
#endif

/* The arguments of an ExecutorRun hook, and what it passes on. */
#if PG_VERSION_NUM >= 180000
#define PGT_EXECUTOR_RUN_ARGS	QueryDesc *query, ScanDirection direction, uint64 count
#define PGT_EXECUTOR_RUN_PASS	query, direction, count
#else
#define PGT_EXECUTOR_RUN_ARGS	QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define PGT_EXECUTOR_RUN_PASS	query, direction, count, once
#endif

/* ---- ALTER TABLE ------------------------------------------------------------ */

/* Does the subcommand give a generated column another expression?  Since 17. */
#if PG_VERSION_NUM >= 170000
#define PGT_SETS_EXPRESSION(command)	((command)->subtype == AT_SetExpression)
#else
#define PGT_SETS_EXPRESSION(command)	false
#endif

/* Did the engine of regular expressions end since it was canceled?  From 16 on it throws an error then. */
#if PG_VERSION_NUM >= 160000
#define PGT_REGEX_IS_CANCELED(code)	false
#else
#define PGT_REGEX_IS_CANCELED(code)	((code) == REG_CANCEL)
#endif

#endif							/* COMPAT_H */
