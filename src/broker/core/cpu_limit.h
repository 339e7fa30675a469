/*
 * cpu_limit.h
 *	  A limit of the processor's time for what may take any.
 */
#ifndef CPU_LIMIT_H
#define CPU_LIMIT_H

/*
 * From begin to end what looks for interrupts is canceled, as a statement is, when it has had so many milliseconds,
 * fewer than a thousand, of a processor.  end() is called also after an ERROR, and takes back a cancel that nobody has
 * met; true if the time was over.
 */
extern void pgt_cpu_limit_begin(int ms);
extern bool pgt_cpu_limit_end(void);

#endif							/* CPU_LIMIT_H */
