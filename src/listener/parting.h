/*
 * parting.h
 *	  Sockets that are closed, until their clients have what was sent to them.
 */
#ifndef PARTING_H
#define PARTING_H

#define PARTINGS_MAX	32		/* sockets at once, beside those of connections */

/* Close a socket that is no source of the event loop, now or later: in either case nothing is sent any more. */
extern void pgt_parting_begin(int fd);

#endif							/* PARTING_H */
