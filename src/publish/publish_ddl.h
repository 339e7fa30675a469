/*
 * publish_ddl.h
 *	  Hooks that keep DDL from parting a published table from its replicas.
 */
#ifndef PUBLISH_DDL_H
#define PUBLISH_DDL_H

/* Install the hooks; called once per process. */
extern void pgt_publish_ddl_init(void);

#endif							/* PUBLISH_DDL_H */
