/*
 * consume.h
 *	  consume(), consume_as(), consume_many(), commit_offsets() and leave_group().
 */
#ifndef CONSUME_H
#define CONSUME_H

/* Define the settings and install the hooks and callbacks of consuming and of groups; called once per process. */
extern void pgt_consume_init(void);

#endif							/* CONSUME_H */
