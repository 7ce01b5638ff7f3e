#!/bin/bash
# probe ADDRESS: every 100 ms, asks the cluster's DNS, which is a Service with this address, and writes and reads a small file on the
# volume if this machine mounts it. Prints `service AGE TOOK` or `volume AGE TOOK` for each request: milliseconds since it began, and
# until its answer; `-` for none within a second, or a refusal. `view` sends this script over SSH. Ends soon after its connection, and
# removes its file.
set -u
: "${NODE_ENVIRONMENT:=/etc/groundplane/node.env}"
# shellcheck source=/dev/null
. "$NODE_ENVIRONMENT"

# shellcheck disable=SC2016 # the dollars are Perl's
exec perl -e '
  use strict; use warnings; use Socket; use IO::Socket::INET; use IO::Select; use IO::Handle;
  my ($address, $port, $folder) = @ARGV;
  my ($EVERY, $LIMIT, $FLUSH) = (100, 1000, 200);
  $SIG{$_} = sub { exit } for qw(HUP INT TERM PIPE);
  my $child = 0;
  END { kill "TERM", $child if $child }

  # Monotonic milliseconds, of which ten count: the base system has no finer clock for Perl.
  sub now { open my $file, "<", "/proc/uptime" or die; my ($s, $c) = <$file> =~ /^(\d+)\.(\d\d)/; return $s * 1000 + $c * 10 }

  # kubernetes.default.svc.cluster.local, type A
  my $name = join "", map { pack "C/a", $_ } qw(kubernetes default svc cluster local), "";
  my $question = pack("a2 n5", "gp", 0x0100, 1, 0, 0, 0) . $name . pack("n2", 1, 1);

  my $select = IO::Select->new;
  my (%asked, @told);
  sub told { my ($what, $began, $took) = @_; push @told, [$what, $began, $took] }
  sub ask {
    # A socket of its own for each, so that the Service chooses each time.
    my $socket = IO::Socket::INET->new(Proto => "udp", PeerAddr => $address, PeerPort => $port, Blocking => 0);
    return told("service", now(), "-") unless $socket && defined $socket->send($question);
    $asked{fileno $socket} = [$socket, now()];
    $select->add($socket);
  }
  sub answered {
    my ($socket) = @_;
    my $began = $asked{fileno $socket}[1];
    my $answer = "";
    my $good = defined $socket->recv($answer, 1500) && length $answer > 12;
    my (undef, $flags, undef, $count) = $good ? unpack("a2 n3", $answer) : ();
    told("service", $began, $good && !($flags & 15) && $count > 0 ? now() - $began : "-");
    forget($socket);
  }
  sub forget { my ($socket) = @_; delete $asked{fileno $socket}; $select->remove($socket); close $socket }

  # The volume by a process of its own, because a volume that does not answer holds what uses it.
  my ($results, $busy, $late) = (undef, undef, 0);
  sub use_volume {
    my ($output) = @_;
    my $file = "$folder/.groundplane-view-$$";
    # Left by one whose machine was lost.
    for (glob "$folder/.groundplane-view-*") { unlink if (-M // 0) > 1 / 1440 }
    $SIG{$_} = sub { unlink $file; exit } for qw(HUP INT TERM PIPE);
    for (my $round = 1; ; $round++) {
      my $began = now();
      syswrite $output, "begin\n" or last;
      my ($out, $in);
      my $good = open($out, ">", $file) && print($out "$round\n") && close($out)
        && open($in, "<", $file) && (<$in> // "") eq "$round\n";
      syswrite $output, $good ? "good\n" : "bad\n" or last;
      my $rest = $EVERY - (now() - $began);
      select undef, undef, undef, $rest / 1000 if $rest > 0;
    }
    unlink $file;
    exit;
  }
  if ($folder ne "") {
    pipe $results, my $output or die;
    $child = fork // die;
    if ($child == 0) { close $results; use_volume($output) }
    close $output;
    $results->blocking(0);
    $select->add($results);
  }
  sub volume_told {
    my $count = sysread $results, my $text, 4096;
    if (!$count) { $select->remove($results); return }
    for (split /\n/, $text) {
      if ($_ eq "begin") { ($busy, $late) = (now(), 0); next }
      told("volume", $busy, $_ eq "good" ? now() - $busy : "-") if defined $busy && !$late;
      $busy = undef;
    }
  }

  my ($next, $flush) = (now(), now() + $FLUSH);
  while (1) {
    my $time = now();
    if ($time >= $next) {
      ask();
      $next = $time - $next > $LIMIT ? $time + $EVERY : $next + $EVERY;
      # While the volume holds a request, each moment in which another one would have begun is one without an answer.
      if (defined $busy && $time - $busy >= $LIMIT) { told("volume", $late ? $time - $LIMIT : $busy, "-"); $late = 1 }
    }
    for (values %asked) {
      my ($socket, $began) = @$_;
      if ($time - $began >= $LIMIT) { told("service", $began, "-"); forget($socket) }
    }
    if ($time >= $flush) {
      my $text = join "", map { sprintf "%s %d %s\n", $_->[0], $time - $_->[1], $_->[2] } @told;
      # Also without results: a connection that has ended is noticed by writing.
      syswrite STDOUT, $text || ".\n" or exit;
      @told = ();
      $flush = $time + $FLUSH;
    }
    my $wait = ($next < $flush ? $next : $flush) - now();
    for my $handle ($select->can_read($wait > 0 ? $wait / 1000 : 0)) {
      if (defined $results && $handle == $results) { volume_told() } else { answered($handle) }
    }
  }
' "$1" "${PROBE_PORT:-53}" "${VOLUME_MOUNT_POINT:-}"
