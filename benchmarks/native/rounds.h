/* What harness/programs.py asks of the C programs that do work of their own; benchmarks.Answers is the same for Java. */
#ifndef ROUNDS_H
#define ROUNDS_H

/* Works until more() says no, and returns. */
typedef void work(void);

/* Counts something done, and tells whether to go on: looks at the clock for one in many. */
int more(void);

/*
 * Says that the program is ready, and works for as many seconds as each line of input says, until that ends; or with the line "prepare"
 * makes ready for that, which is no part of the work. prepare may be NULL.
 */
void answer(work *work, void prepare(void));

#endif
