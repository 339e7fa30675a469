/*
 * topic_drop.h
 *	  Removing slots and files: of dropped topics at commit, of new ones at rollback.
 */
#ifndef TOPIC_DROP_H
#define TOPIC_DROP_H

/*
 * A topic of this database is being dropped: delete the offsets and members of its
 * groups, and at commit remove its slots and files.  Called while its catalog entries
 * still exist.
 */
extern void pgt_topic_drop(Oid topic);

/*
 * A topic of this database has been created, or given the partitions from "first" on: if
 * that is rolled back, remove the slots and files of these partitions.
 */
extern void pgt_topic_drop_if_rolled_back(Oid topic, int32 first);

/*
 * A database is being created: remove files that a dropped database of the same OID has
 * left, since the copied catalogs may have topics of the same OIDs.
 */
extern void pgt_topic_drop_leftovers(Oid database);

/* A database is being dropped: at commit, remove its topics' files. */
extern void pgt_topic_drop_database(Oid database);

/* Install the transaction callbacks; called once per process. */
extern void pgt_topic_drop_init(void);

#endif							/* TOPIC_DROP_H */
