/*
 * topic_ddl.h
 *	  Hooks that check and complete data definition statements on topics.
 */
#ifndef TOPIC_DDL_H
#define TOPIC_DDL_H

/*
 * Is the running TRUNCATE a transaction of its own, so that only its own failure can
 * roll it back?  If so, its transaction will commit before the next statement of a
 * pipeline.
 */
extern bool pgt_topic_ddl_truncate_is_top_level(void);

/* Install the hooks; called once per process. */
extern void pgt_topic_ddl_init(void);

#endif							/* TOPIC_DDL_H */
