/*
 * alter_credentials.h
 *	  AlterUserScramCredentials: passwords of roles.
 */
#ifndef ALTER_CREDENTIALS_H
#define ALTER_CREDENTIALS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_alter_credentials_api;
extern const HelperApi pgt_alter_credentials_helper;

#endif							/* ALTER_CREDENTIALS_H */
