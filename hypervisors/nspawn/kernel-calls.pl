#!/usr/bin/perl
# System calls that neither Node.js nor a program of every host offers; Perl is on each of them.
#
# kernel-calls.pl attach CGROUP-FOLDER
#   Attaches BPF programs to a version 2 cgroup. Each line of stdin is one: TYPE HOOK CODE-IN-HEX.
# kernel-calls.pl mount-sealed [SOURCE TARGET]... -- COMMAND...
#   Mounts folders permanently read-only in the mount namespace of this process: not even root can make them writable again.
#   Then runs the command in its place. All paths are absolute.
# kernel-calls.pl lengthen-queues PROCESS-ID
#   Lets as many new connections wait at each listening socket of a process as this host allows.
use strict;
use warnings;
use POSIX ();

my $machine = (POSIX::uname())[4];
my %numbers = (
    x86_64  => { bpf => 321, mount => 165, umount => 166, unshare => 272, setns => 308 },
    aarch64 => { bpf => 280, mount => 40, umount => 39, unshare => 97, setns => 268 },
);
my $calls = $numbers{$machine} or die "no system call numbers for $machine\n";
my ($open_tree, $move_mount, $open_process, $take_file) = (428, 429, 434, 438);

sub check {
    my ($result, $what) = @_;
    die "$what: $!\n" if $result < 0;
    return $result;
}

my ($command, @arguments) = @ARGV;
if (($command // "") eq "attach") { attach(@arguments) }
elsif (($command // "") eq "mount-sealed") { mount_sealed(@arguments) }
elsif (($command // "") eq "lengthen-queues") { lengthen_queues(@arguments) }
else { die "attach, mount-sealed or lengthen-queues\n" }

sub bpf {
    my ($number, $attributes, $what) = @_;
    # The kernel may read and write up to the size that it is told.
    $attributes .= "\0" x (128 - length $attributes);
    return check(syscall($calls->{bpf}, $number, $attributes, 128), $what);
}

sub attach {
    my ($folder) = @_;
    my ($load, $attach, $multi) = (5, 8, 2);
    sysopen(my $group, $folder, 0) or die "$folder: $!\n";
    while (my $line = <STDIN>) {
        my ($type, $hook, $hex) = split " ", $line;
        my $code = pack "H*", $hex;
        my $license = "Dual MIT/GPL\0";
        my $log = "\0" x 65536;
        my $name = "groundplane";
        my $program = eval {
            bpf($load, pack("LLQQLLQLLa16LL", $type, length($code) / 8, address($code), address($license),
                    1, length $log, address($log), 0, 0, $name, 0, $hook),
                "program $type");
        };
        if (!defined $program) {
            my $reason = $@;
            $log =~ s/\0.*//s;
            die "$reason$log";
        }
        # Several programs: runc adds those of its containers further down, and a process needs the consent of all.
        bpf($attach, pack("LLLL", fileno $group, $program, $hook, $multi), "attach $type");
        POSIX::close($program);
    }
}

# The address of a string's bytes.
sub address { return unpack "Q", pack "P", $_[0] }

# The kernel locks a mount's read-only flag when the mount is copied into the mount namespace of another user namespace,
# and keeps the lock in every copy of that mount. So: mount, let a child copy everything into such namespaces, and take
# the locked mounts over from there.
sub mount_sealed {
    my (@pairs, @command);
    while (@_) {
        my $word = shift;
        if ($word eq "--") { @command = @_; last }
        push @pairs, $word;
    }
    my ($bind, $remount, $read_only) = (4096, 32, 1);
    my ($new_mounts, $new_user) = (0x20000, 0x10000000);
    my @targets;
    my $nothing = "\0";
    while (my ($source, $target) = splice @pairs, 0, 2) {
        mkdir $target;
        check(syscall($calls->{mount}, "$source\0", "$target\0", $nothing, $bind, 0), "mount $target");
        check(syscall($calls->{mount}, $nothing, "$target\0", $nothing, $bind | $remount | $read_only, 0), "remount $target");
        push @targets, $target;
    }
    pipe(my $ready, my $tell) or die "pipe: $!\n";
    pipe(my $wait, my $end) or die "pipe: $!\n";
    my $child = fork // die "fork: $!\n";
    if ($child == 0) {
        close $end;
        my $done = syscall($calls->{unshare}, $new_user | $new_mounts) == 0;
        syswrite $tell, $done ? "y" : "user namespaces are needed (user.max_user_namespaces): $!";
        sysread $wait, my $byte, 1;
        POSIX::_exit(0);
    }
    close $tell;
    sysread $ready, my $answer, 1000;
    die "$answer\n" if $answer ne "y";
    open(my $own, "<", "/proc/self/ns/mnt") or die "own namespace: $!\n";
    open(my $locked, "<", "/proc/$child/ns/mnt") or die "other namespace: $!\n";
    my ($here, $clone, $from_handle) = (-100, 0x80001, 4);
    check(syscall($calls->{setns}, fileno $locked, $new_mounts), "enter");
    my @handles = map { check(syscall($open_tree, $here, "$_\0", $clone), "copy $_") } @targets;
    check(syscall($calls->{setns}, fileno $own, $new_mounts), "return");
    for my $target (@targets) {
        check(syscall($calls->{umount}, "$target\0", 0), "unmount $target");
        my $handle = shift @handles;
        check(syscall($move_mount, $handle, $nothing, $here, "$target\0", $from_handle), "move $target");
    }
    close $end;
    waitpid $child, 0;
    exec { $command[0] } @command or die "$command[0]: $!\n";
}

# A second `listen` on the same socket only changes the length of its queue.
sub lengthen_queues {
    my ($process_id) = @_;
    my ($socket_level, $is_listening, $as_host_allows) = (1, 30, 2147483647);
    my $process = check(syscall($open_process, $process_id + 0, 0), "process $process_id");
    for my $link (glob "/proc/$process_id/fd/*") {
        my $target = readlink $link;
        next unless defined $target && $target =~ /^socket:/;
        my ($number) = $link =~ /(\d+)$/;
        my $copy = check(syscall($take_file, $process, $number + 0, 0), "socket $number of process $process_id");
        open(my $socket, "+<&=", $copy) or die "socket $number: $!\n";
        my $state = getsockopt $socket, $socket_level, $is_listening;
        next unless defined $state && unpack "i", $state;
        listen $socket, $as_host_allows or die "listen on socket $number of process $process_id: $!\n";
    }
}
