/*
 * topic_drop.h
 *	  Slots and files of topics that go: dropped ones at commit, new ones at rollback.
 */
#ifndef TOPIC_DROP_H
#define TOPIC_DROP_H

/*
 * A topic of this database is being dropped: forget its groups' offsets and,
 * at commit, remove its files.  Called before its catalog entries go.
 */
extern void pgt_topic_drop(Oid topic);

/*
 * A topic of this database has been created, or given partitions from "first" on:
 * should that be rolled back, remove the slots and files that they have by then.
 */
extern void pgt_topic_drop_if_rolled_back(Oid topic, int32 first);

/*
 * A database is being created: remove what a dropped one of its OID has left, since
 * a copied catalog may hold topics of the same OIDs.
 */
extern void pgt_topic_drop_leftovers(Oid database);

/* A database is being dropped: at commit, remove its topics' files. */
extern void pgt_topic_drop_database(Oid database);

/* Install the transaction callbacks; called once per process. */
extern void pgt_topic_drop_init(void);

#endif							/* TOPIC_DROP_H */
