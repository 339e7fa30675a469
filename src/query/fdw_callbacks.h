/*
 * fdw_callbacks.h
 *	  The functions of the foreign-data wrapper that topic_plan.c, topic_scan.c and
 *	  topic_modify.c have, whose names begin with those of the files.
 */
#ifndef FDW_CALLBACKS_H
#define FDW_CALLBACKS_H

#include "foreign/fdwapi.h"
#include "query/scan_bounds.h"
#include "query/scan_order.h"
#include "wal/log_reader_filter.h"

/* topic_plan.c: choosing and explaining scans; the server's callbacks */
extern void pgt_topic_plan_get_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void pgt_topic_plan_get_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *pgt_topic_plan_get_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
											ForeignPath *path, List *tlist, List *clauses,
											Plan *outer_plan);
extern bool pgt_topic_plan_is_parallel_safe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte);
extern void pgt_topic_plan_explain(ForeignScanState *node, struct ExplainState *es);

/*
 * The parts of a plan that its scan needs: the conditions (ScanCondition *, palloc'd), the
 * columns that must be filled in (a bit for each TopicColumnId), and the order.
 */
extern List *pgt_topic_plan_conditions(const ForeignScan *plan);
extern uint32 pgt_topic_plan_columns(const ForeignScan *plan);
extern ScanOrder pgt_topic_plan_order(const ForeignScan *plan);

/*
 * What the planner knows of a topic that it scans: itself, whether an order is that of its
 * partitions, and how many partitions and batches are read.
 */
extern const Topic *pgt_topic_plan_topic(const RelOptInfo *rel);
extern bool pgt_topic_plan_comes_by_partition(const List *pathkeys, RelOptInfo *rel);
extern void pgt_topic_plan_estimate_batches(const RelOptInfo *rel, double *partitions, double *batches);

/* topic_scan.c: running scans; the server's callbacks */
extern void pgt_topic_scan_begin(ForeignScanState *node, int eflags);
extern void pgt_topic_scan_explain(ForeignScanState *node, struct ExplainState *es);
extern TupleTableSlot *pgt_topic_scan_iterate(ForeignScanState *node);
extern void pgt_topic_scan_rescan(ForeignScanState *node);
extern void pgt_topic_scan_end(ForeignScanState *node);
extern Size pgt_topic_scan_estimate_share(ForeignScanState *node, ParallelContext *context);
extern void pgt_topic_scan_init_share(ForeignScanState *node, ParallelContext *context,
									  void *coordinate);
extern void pgt_topic_scan_restart_share(ForeignScanState *node, ParallelContext *context,
										 void *coordinate);
extern void pgt_topic_scan_attach_share(ForeignScanState *node, shm_toc *toc, void *coordinate);
extern void pgt_topic_scan_shut_down(ForeignScanState *node);
extern bool pgt_topic_scan_analyze(Relation relation, AcquireSampleRowsFunc *func,
								   BlockNumber *pages);

/* What the scan's readers have done so far, those of its workers included. */
extern LogReaderCounts pgt_topic_scan_counts(const ForeignScanState *node);

/* topic_modify.c: INSERT, COPY FROM, TRUNCATE, and refusing UPDATE and DELETE; the server's callbacks */
extern List *pgt_topic_modify_plan(PlannerInfo *root, ModifyTable *plan, Index relation,
								   int subplan_index);
extern void pgt_topic_modify_begin(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
								   int subplan_index, int eflags);
extern void pgt_topic_modify_begin_insert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
extern TupleTableSlot *pgt_topic_modify_insert(EState *estate, ResultRelInfo *rinfo,
											   TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern void pgt_topic_modify_end(EState *estate, ResultRelInfo *rinfo);
extern int	pgt_topic_modify_commands(Relation relation);
extern void pgt_topic_modify_truncate(List *relations, DropBehavior behavior, bool restart_sequences);

#endif							/* FDW_CALLBACKS_H */
