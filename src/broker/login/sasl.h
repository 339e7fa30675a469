/*
 * sasl.h
 *	  SASL: how a client proves which role it is.
 */
#ifndef SASL_H
#define SASL_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_sasl_handshake_api;
extern const BrokerApi pgt_sasl_authenticate_api;

/*
 * Is the client's next frame a message of SASL and no request?  Then it is to be served by the
 * second function.
 */
extern bool pgt_sasl_takes_frames(const BrokerConnection *client);
extern void pgt_sasl_serve_frame(BrokerRequest *request);

#endif							/* SASL_H */
