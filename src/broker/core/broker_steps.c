/*
 * broker_steps.c
 *	  Requests whose work is many small steps: slice by slice.
 *
 * An API with a list in its request, or all that there is of something in its response, says what one step is, and
 * what becomes of the request when none is left.
 */
#include "postgres.h"

#include "broker/core/broker.h"
#include "broker/core/turn.h"

/* Take steps until the slice is over, or none is left. */
static void
step_on(BrokerRequest *request)
{
	pgt_turn_open();
	while (request->step(request))
	{
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, step_on);
			return;
		}
	}
	request->finish(request);
}

void
pgt_broker_take_steps(BrokerRequest *request, bool (*step) (BrokerRequest *request),
					  void (*finish) (BrokerRequest *request))
{
	request->step = step;
	request->finish = finish;
	step_on(request);
}
