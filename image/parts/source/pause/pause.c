/* The process that holds a pod's namespaces: sleeps, reaps orphans, ends when told. Arguments it does not know mean
   nothing to it; -v prints its version, which some checks of kubeadm ask for. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

static void reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(int argc, char **argv) {
  static const char version[] = "pause " VERSION "\n";
  if (argc > 1 && strcmp(argv[1], "-v") == 0) return write(1, version, sizeof version - 1) < 0;

  struct sigaction ending = {.sa_handler = end};
  struct sigaction reaping = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
  sigaction(SIGINT, &ending, NULL);
  sigaction(SIGTERM, &ending, NULL);
  sigaction(SIGCHLD, &reaping, NULL);
  for (;;) pause();
}
