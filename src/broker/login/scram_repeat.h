/*
 * scram_repeat.h
 *	  The end of SCRAM with clients that repeat their nonce.
 */
#ifndef SCRAM_REPEAT_H
#define SCRAM_REPEAT_H

/* The messages before the last one. */
typedef struct ScramRepeat
{
	const char *client_first;	/* without what is before "n=" */
	const char *server_first;
} ScramRepeat;

/* Does the client's last message have its nonce twice? */
extern bool pgt_scram_repeat_is(const ScramRepeat *messages, const char *client_final);

/*
 * Is such a message the proof that the client knows the password of a verifier?  Then the server's last message,
 * palloc'd; else NULL.  Called in a transaction.
 */
extern char *pgt_scram_repeat_answer(const ScramRepeat *messages, const char *client_final, const char *verifier);

#endif							/* SCRAM_REPEAT_H */
