import { type CompatRow, GIT_IDENTITY, REPOSITORY } from './row.ts';

/** Indexes and logs hold times; packs are ordered by threads. What they mean is in the output of each row. */
const ignoreFiles =
  /\.git\/(.*\/)?(index|logs\/|ORIG_HEAD|FETCH_HEAD|packed-refs|objects\/|info\/|gc|refs\/stash|rr-cache)|\.bundle$/;

/** Two lines of work that meet, with a conflict that was solved. */
const history = `${REPOSITORY}cd origin
git checkout -q -b left HEAD~3 && echo left > left && git add left && git commit -qm left
git checkout -q -b right && echo right >> story && git commit -qam right
git checkout -q main && git merge -q --no-edit left && git tag -a v1 -m "first"
git merge -q right >/dev/null || { printf 'line 1\\nsolved\\n' > story; git add story; git commit -qm "solve"; }
cd ..
`;

/** Everyday git over a history of its own: the porcelain, and what it does to files. */
export const GIT: readonly CompatRow[] = [
  {
    title: 'git: log, blame, bisect, cherry-pick, revert',
    fixture: history,
    script: `${GIT_IDENTITY}cd origin && git log --graph --format='%h %s %d' --all && git blame -s story && git shortlog -sn HEAD && git describe && git diff --stat v1 HEAD
git bisect start -q HEAD HEAD~4 2>&1 && git bisect run sh -c 'test ! -d d5' 2>&1 | grep -c 'is the first bad commit'; git bisect log | wc -l; git bisect reset -q 2>&1
git checkout -q side && git cherry-pick left 2>&1 | sed 1q && git revert --no-edit HEAD 2>&1 | sed 1q && git log --format=%s -3 && git status --short --branch`,
    ignoreFiles,
  },
  {
    title: 'git: rebase -i with a scripted editor, exec and autosquash',
    fixture: history,
    script: `${GIT_IDENTITY}cd origin && git checkout -q left && for i in a b c; do echo $i > $i; git add $i; git commit -qm "add $i"; done && echo more >> a && git commit -qa --fixup ':/add a'
GIT_SEQUENCE_EDITOR="sed -i 's/^pick \\(.*add b\\)/reword \\1/'" GIT_EDITOR='sed -i s/add/insert/' git rebase -q -i --autosquash --exec 'test -f left' side 2>&1; git log --format=%s side..
GIT_SEQUENCE_EDITOR='sed -i 1s/pick/edit/' git rebase -q -i HEAD~2 2>&1; echo edited >> b; git commit -q --amend --no-edit -a; git rebase --continue 2>&1 | tail -1; git log --format='%h %s' -3; git status`,
    ignoreFiles,
  },
  {
    title: 'git: conflicts, mergetool-free solving, rerere, stash with untracked files, clean',
    fixture: history,
    script: `${GIT_IDENTITY}cd origin && git config rerere.enabled true && git checkout -q -b other HEAD~1 && echo other >> story && git commit -qam other && git merge main 2>&1 | tail -1; git status --short; git diff | head -20; git checkout --theirs story && git add story && git commit -qm met
git reset -q --hard HEAD~1; git merge main >/dev/null 2>&1; git status --short; git merge --abort; echo u > untracked; echo w >> story; git stash push -qu -m both; ls; git stash show --include-untracked --stat; git stash pop -q; git stash list | wc -l; git clean -ndx; git clean -fdxq; git mv left moved; git rm -q --cached d1/f; git status --short`,
    ignoreFiles,
  },
  {
    title: 'git: format-patch, am, apply, bundle, archive',
    fixture: history,
    script: `${GIT_IDENTITY}cd origin && git format-patch -q -o ../patches side && cd .. && git clone -q -b side origin copy 2>&1 && cd copy && git am -q ../patches/*.patch 2>&1; git log --format=%s -3; git am --abort 2>/dev/null; git reset -q --hard origin/side
git diff origin/side origin/left | git apply --index && git status --short && git commit -qm applied; git bundle create -q ../all.bundle --all && git bundle verify -q ../all.bundle 2>&1 && git clone -q ../all.bundle ../again -b side 2>&1 && git -C ../again log --format=%s -1; git archive --prefix=x/ HEAD | tar t | sort; git notes add -m note && git notes show`,
    ignoreFiles,
  },
  {
    title: 'git: clones that share objects, shallow clones, push to a bare repository, repacking',
    fixture: history,
    script: `${GIT_IDENTITY}git clone -q --local origin local && git clone -q --shared origin shared && git clone -q --depth 1 "file://$PWD/origin" shallow 2>&1; git -C shallow rev-list --count HEAD; git clone -q --bare origin bare.git && git clone -q --mirror origin mirror.git && git clone -q --reference origin bare.git referring 2>&1
cat shared/.git/objects/info/alternates | wc -l; find local/.git/objects -type f -links +1 | wc -l; cd local && git remote add bare ../bare.git && echo n > n && git add n && git commit -qm n && git push -q bare HEAD:main 2>&1; git fetch -q --all --prune 2>&1; git branch -qu bare/main; git rev-parse --abbrev-ref @{u}; git gc -q --prune=now && git count-objects -v | grep '^in-pack'; git repack -qad; git fsck --full 2>&1; git -C ../origin fsck 2>&1; git -C ../shared fsck 2>&1; git prune; git reflog expire --expire=now --all; git pack-refs --all; git show-ref | wc -l; git maintenance run --task=commit-graph -q; git verify-pack .git/objects/pack/*.idx && echo verified`,
    ignoreFiles: /\.git\/|(bare|mirror)\.git\/(?!hooks)/,
  },
  {
    title: 'git: a clone that fails leaves nothing, and repositories are removed',
    fixture: history,
    script: `${GIT_IDENTITY}git clone -q "file://$PWD/missing" gone 2>&1 | tail -1; ls -d gone 2>&1; git clone -q origin gone && rm -r gone/.git/config && git -C gone log --format=%s -1; rm -rf gone && git clone -q origin gone && ls -a gone`,
    ignoreFiles,
  },
  {
    title: 'git: sparse checkout and configuration',
    fixture: history,
    script: `${GIT_IDENTITY}cd origin && git sparse-checkout set --cone d1 d2 && ls && git sparse-checkout list && git sparse-checkout disable && ls; git config core.abbrev 9; git config --add remote.x.fetch '+refs/heads/*:refs/remotes/x/*'; git remote add y ../y.git; git remote rename y z; git remote -v; git config --unset core.abbrev; git config branch.main.description text; git branch -m side aside; git branch -d left 2>&1; git config --local --list | sort; git config --edit 2>&1 </dev/null | head -1; GIT_EDITOR=true git config --edit; git update-index --chmod=+x story; git ls-files -s story; git check-ignore nothing; echo $?`,
    ignoreFiles,
  },
  {
    title: 'git: hooks that were there run',
    fixture: `${history}cd origin/.git/hooks && for h in pre-commit post-commit commit-msg post-checkout; do printf '#!/bin/sh\\necho %s\\n' $h > $h; chmod +x $h; done`,
    script: `${GIT_IDENTITY}cd origin && echo x >> story && git commit -qam hooked && git checkout -q -b fresh && git checkout -q main; git log --format=%s -1; printf '#!/bin/sh\\nexit 1\\n' > /dev/null; git commit --allow-empty --no-verify -qm quiet; git log -1 --format=%s`,
    ignoreFiles,
  },
  {
    title: 'git: worktrees and submodules that were there',
    fixture: `${history}cd origin && git worktree add -q ../tree side 2>/dev/null && git submodule --quiet add ../origin sub 2>/dev/null && git commit -qm submodule`,
    script: `${GIT_IDENTITY}cd origin && git worktree list | wc -l && git submodule status | cut -c1,42- && (cd sub && git checkout -q side && echo s >> story && git commit -qam s) && git status --short && git diff --submodule=log | tail -1 && git submodule foreach --quiet 'git log --format=%s -1' && cd ../tree && echo t >> story && git commit -qam t && git log --format=%s -2 && git rebase -q main 2>&1 | tail -1; git status | head -2; git rebase --abort; git worktree lock . && git worktree unlock .; cd ../origin; git worktree list | wc -l; git submodule deinit -q -f sub; ls -A sub`,
    ignoreFiles,
  },
  {
    title: 'git: worktrees that are added, listed, moved, locked, removed and pruned',
    fixture: history,
    script: `${GIT_IDENTITY}cd origin && git worktree add ../tree side 2>&1 && git worktree add -q -b topic nested/topic 2>&1; git worktree add -q --detach ../gone HEAD~1 2>&1; cat ../tree/.git .git/worktrees/tree/{gitdir,commondir} | sed "s,$PWD,.,"; stat -c '%a %n' ../tree/.git .git/worktrees/tree/*dir
git worktree list --porcelain | sed "s,\${PWD%/*},," && cd ../tree && echo t >> story && git commit -qam t && git log --format=%s -2 && git status --short --branch && git config --get-all core.bare; git stash list; cd ../origin && git worktree move ../tree ../moved && cat ../moved/.git .git/worktrees/tree/gitdir | sed "s,\${PWD%/*},," && git -C ../moved status --short --branch
rm -rf ../gone && git worktree prune -v 2>&1; git worktree repair; git worktree remove nested/topic 2>&1; git branch -d topic 2>&1; git worktree lock ../moved && git worktree remove ../moved 2>&1 | sed "s,\${PWD%/*},,"; git worktree unlock ../moved; echo d > ../moved/d; git worktree remove ../moved 2>&1 | sed "s,\${PWD%/*},,"; git worktree remove --force ../moved; git worktree list | wc -l; ls -A .. . .git/worktrees 2>/dev/null; git fsck 2>&1`,
    ignoreFiles,
  },
  {
    title: 'git: submodules that are added, cloned, updated, synced and removed',
    fixture: `${history}git init -q top && git -C top commit -q --allow-empty -m top && git init -q deep && cd deep && git -c protocol.file.allow=always submodule --quiet add "file://\${PWD%/*}/origin" in/ner 2>/dev/null && git commit -qm deep && cd ..`,
    script: `${GIT_IDENTITY}export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always
cd top && git submodule add "file://\${PWD%/*}/origin" sub 2>&1 | sed "s,\${PWD%/*},,"; git submodule --quiet add --name other "file://\${PWD%/*}/deep" path/deep 2>&1; cat sub/.git path/deep/.git .git/modules/sub/config .gitmodules | sed "s,\${PWD%/*},,"; git commit -qm both && git submodule update --init --recursive 2>&1 | sed "s,\${PWD%/*},,"; cat path/deep/in/ner/.git; git submodule status --recursive | cut -c1,42-
(cd sub && git checkout -q side && echo s >> story); git status --short; git -C sub checkout -q story; git submodule foreach --quiet --recursive 'git log --format=%s -1'; git submodule update 2>&1 | sed "s,\${PWD%/*},,"; git submodule sync 2>&1; git submodule set-branch -b side sub; git submodule absorbgitdirs 2>&1; cd .. && git clone -q --recurse-submodules "file://$PWD/top" copy 2>&1 && cat copy/sub/.git && git -C copy submodule status --recursive | cut -c1,42- && cd copy && git submodule deinit -q -f sub && ls -A sub && git submodule update -q --init sub 2>&1 && ls sub && git mv sub moved && cat moved/.git && git -C moved status --short --branch && git rm -q -f moved && git status --short`,
    ignoreFiles,
  },
];
