/*
 * relation_change.h
 *	  Hearing of changes of relations.
 */
#ifndef PGT_RELATION_CHANGE_H
#define PGT_RELATION_CHANGE_H

#include "utils/inval.h"

/*
 * Have a function called in this process whenever a relation has changed, as by CacheRegisterRelcacheCallback(), with 0 as its
 * argument; InvalidOid stands for all relations.  It must not throw.  To be called once for each function.
 */
extern void pgt_relation_change_register(RelcacheCallbackFunction function);

#endif
