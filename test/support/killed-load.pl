# Tries names one after the other, and says what became of each once it knows: names that are allowed and recorded, names that are refused, each only once;
# and one that is refused again and again. A verdict is written out before the next name is tried.
use strict;
use warnings;
use Errno;

my ($directory) = @ARGV;

sub try_name {
    my ($name) = @_;
    my $opened = open(my $file, '>', "$directory/$name");
    exit if $!{ENOSYS} && !$opened; # nobody judges any more
    my $verdict = $opened ? 'allow' : $!{EACCES} ? 'deny' : "$!";
    syswrite(STDOUT, "$name $verdict\n") or exit 1;
}

for (my $turn = 1;; $turn++) {
    try_name("logged-$turn");
    try_name("denied-$turn");
    try_name('denied-again');
    select(undef, undef, undef, 0.2) if $turn % 4 == 0;
}
