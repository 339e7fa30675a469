/*
 * classic_rows.h
 *	  Classic groups and their members as rows, and back.
 */
#ifndef CLASSIC_ROWS_H
#define CLASSIC_ROWS_H

#include "broker/groups/group_coordinator.h"
#include "coordinator/classic_group.h"

/* Write the group's row.  One that is not whole has members whose rows are not as they should be. */
extern void pgt_classic_rows_write_group(const CoordinatorGroup *registered, ClassicGroup *group, bool whole);

/* Write a member's row, unless it is as the member is; with its next assignment, where that is to be stored. */
extern void pgt_classic_rows_write_member(KafkaMemberRows *rows, const ClassicGroup *group,
										  ClassicMember *member);

/* What a group's row says.  False: it is not whole, or nothing that is known here. */
extern bool pgt_classic_rows_load_group(ClassicGroup *group, const KafkaGroupRow *row);

/* Add the member of a row. */
extern void pgt_classic_rows_load_member(ClassicGroup *group, const KafkaGroupRow *group_row, const KafkaMemberRow *row);

#endif							/* CLASSIC_ROWS_H */
