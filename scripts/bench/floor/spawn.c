/*
 * The floor under every harness: N times posix_spawn and waitpid, J in flight, and nothing else. Output of
 * the command goes to /dev/null; a failing command ends the loop with exit code 1.
 *
 * usage: spawn J N COMMAND [ARGUMENT...]
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static int start(posix_spawn_file_actions_t *quiet, char **argv)
{
	pid_t pid;
	int err = posix_spawnp(&pid, argv[0], quiet, NULL, argv, environ);

	if (err != 0)
		fprintf(stderr, "spawn %s: %s\n", argv[0], strerror(err));
	return err;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t quiet;
	long width, runs, started = 0, ended = 0;
	int status;

	if (argc < 4 || (width = atol(argv[1])) < 1 || (runs = atol(argv[2])) < 1) {
		fprintf(stderr, "usage: spawn J N COMMAND [ARGUMENT...]\n");
		return 2;
	}
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&quiet, 1, 2);
	while (ended < runs) {
		if (started < runs && started - ended < width) {
			if (start(&quiet, argv + 3) != 0)
				return 1;
			started++;
			continue;
		}
		if (waitpid(-1, &status, 0) < 0) {
			perror("waitpid");
			return 1;
		}
		if (status != 0)
			return 1;
		ended++;
	}
	return 0;
}
