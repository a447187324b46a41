/* supervisor.h - starts the gateway, portal, admin and keeper processes, watches them and starts them again, as php-fpm
 * does for PHP.
 *
 * The supervisor owns the listening sockets and hands each to its processes as descriptor 0 (FastCGI section 2.2), so a
 * crash or restart of a process refuses no connection: it waits in the socket's queue. A process that dies is started
 * again at once; one that keeps dying within ten seconds of its start waits 0.1 s, 0.2 s … up to 10 s.
 *   SIGTERM, SIGINT  drain: every process finishes what it has, then the supervisor exits
 *   SIGHUP           passed on: gateways build a new snapshot, web processes read their settings again
 *   SIGUSR1          starts one process after the other anew (a new binary), without refusing a call
 * When the supervisor itself is killed, the kernel tells its children to drain (PR_SET_PDEATHSIG). */
#pragma once

#include "core/error.h"

struct supervisor_options {
	const char *state_dir;       /* passed on as --state */
	const char *socket_dir;      /* gateway.sock, portal.sock, admin.sock are made here */
	unsigned gateways, portals, admins;
	unsigned socket_mode;        /* permission bits of the sockets */
	int64_t drain_ms;            /* after SIGTERM, how long until what still runs is killed */
	bool keeper;
};

/* Runs until told to stop. Fails when a socket cannot be made, a program is missing, or another supervisor holds the
 * socket directory. */
GH_RC supervisor_run(const struct supervisor_options *o, struct gh_err *err);
