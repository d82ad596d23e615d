/* SPDX-License-Identifier: MIT */
/*
 * cmd.h: the subcommands of vpio.  argv[0] is the subcommand's name; each
 * returns the exit status.
 */

#ifndef VMM_CMD_H
#define VMM_CMD_H

int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_bind(int argc, char **argv);
int cmd_unbind(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_trace(int argc, char **argv);

#endif /* VMM_CMD_H */
