/*
 * topic_ddl.h
 *	  What data definition does to topics beside changing the catalogs.
 */
#ifndef TOPIC_DDL_H
#define TOPIC_DDL_H

/*
 * Is the TRUNCATE that is running a statement of its own, so that nothing can
 * roll it back but its own failure?  If so, its transaction will commit before
 * any other statement of a pipeline joins it.
 */
extern bool pgt_topic_ddl_truncate_is_top_level(void);

/* Install the hooks; called once per process. */
extern void pgt_topic_ddl_init(void);

#endif							/* TOPIC_DDL_H */
