/** Files that hold credentials, as the programs that write them document it. What an allow rule covers of these is worth a second look. */
export const KNOWN_SECRETS: readonly { what: string; paths: readonly string[] }[] = [
  // ssh(1), FILES.
  { what: 'an ssh key', paths: ['~/.ssh/id_{rsa,dsa,ecdsa,ecdsa_sk,ed25519,ed25519_sk}'] },
  // gpg-agent(1), FILES.
  { what: 'a GnuPG key', paths: ['~/.gnupg/private-keys-v1.d/*', '~/.gnupg/secring.gpg'] },
  // AWS CLI user guide, configuration and credential file settings; Google Cloud CLI, configurations; Azure CLI, ~/.azure.
  { what: 'cloud credentials', paths: ['~/.aws/{credentials,sso/cache/*.json,cli/cache/*.json}'] },
  {
    what: 'cloud credentials',
    paths: ['~/.config/gcloud/{credentials.db,access_tokens.db,application_default_credentials.json}'],
  },
  {
    what: 'cloud credentials',
    paths: ['~/.azure/{msal_token_cache.json,accessTokens.json,service_principal_entries.json}'],
  },
  // kubectl(1), docker-login(1), Terraform CLI configuration, Vault token helpers.
  { what: 'cluster credentials', paths: ['~/.kube/config'] },
  { what: 'registry credentials', paths: ['~/.docker/config.json'] },
  { what: 'service credentials', paths: ['~/.terraform.d/credentials.tfrc.json', '~/.vault-token'] },
  // npmrc(5); the pypirc file of PyPA; The Cargo Book, credentials; RubyGems guides; Maven settings.
  {
    what: 'package registry credentials',
    paths: ['~/.npmrc', '~/.pypirc', '~/.cargo/credentials{,.toml}', '~/.gem/credentials'],
  },
  { what: 'package registry credentials', paths: ['~/.m2/settings-security.xml', '~/.yarnrc.yml'] },
  // netrc(5), gitcredentials(7), gh-auth-login(1).
  {
    what: 'login credentials',
    paths: ['~/.netrc', '~/.git-credentials', '~/.config/git/credentials', '~/.config/gh/hosts.yml'],
  },
  // libpq, the password file; mysql(1), option files; redis and others keep theirs in the environment.
  { what: 'database credentials', paths: ['~/.pgpass', '~/.my.cnf', '~/.mylogin.cnf'] },
  // The dotenv convention.
  { what: 'an environment file', paths: ['**/.env', '**/.env.{local,production,development,staging,test}'] },
  // Profile directories of Firefox and Chromium.
  { what: 'browser passwords', paths: ['~/.mozilla/firefox/*/{logins.json,key4.db,cookies.sqlite}'] },
  {
    what: 'browser passwords',
    paths: ['~/.config/{google-chrome,chromium,BraveSoftware/Brave-Browser}/*/{Login Data,Cookies}'],
  },
  // gnome-keyring-daemon(1), kwallet, pass(1).
  { what: 'a password store', paths: ['~/.local/share/{keyrings,kwalletd}/*', '~/.password-store/**/*.gpg'] },
  // bash(1), HISTFILE; zsh and others alike.
  { what: 'a shell history', paths: ['~/.{bash,zsh,python,psql,mysql}_history'] },
  // shadow(5), sshd(8), sudoers(5).
  { what: "this machine's passwords", paths: ['/etc/{shadow,gshadow}'] },
  { what: "this machine's keys", paths: ['/etc/ssh/ssh_host_{rsa,ecdsa,ed25519}_key', '/etc/ssl/private/*'] },
  // proc(5): environment and memory of other processes.
  { what: "other processes' secrets", paths: ['/proc/[1-9]*/{environ,mem}'] },
];

/** Hosts that keep or forward what anybody sends them, as their public documentation says: an allowed one is a way out for data. */
export const UPLOAD_HOSTS: readonly { host: string; what: string }[] = [
  { host: 'github.com', what: 'pushes' }, // GitHub Docs, pushing commits
  { host: 'api.github.com', what: 'gists, issues and contents' }, // GitHub REST API
  { host: 'gist.github.com', what: 'gists' },
  { host: 'gitlab.com', what: 'pushes and snippets' }, // GitLab Docs, snippets
  { host: 'bitbucket.org', what: 'pushes and snippets' },
  { host: 'pastebin.com', what: 'pastes' }, // pastebin.com/doc_api
  { host: '0x0.st', what: 'files' },
  { host: 'transfer.sh', what: 'files' },
  { host: 'file.io', what: 'files' },
  { host: 'webhook.site', what: 'any request' },
  { host: 'hooks.slack.com', what: 'messages' }, // Slack, incoming webhooks
  { host: 'discord.com', what: 'messages' }, // Discord, webhook resource
  { host: 'api.telegram.org', what: 'messages and files' }, // Telegram Bot API
  { host: 'any-bucket.s3.amazonaws.com', what: 'objects' }, // Amazon S3, PutObject
  { host: 'storage.googleapis.com', what: 'objects' }, // Cloud Storage, JSON API
  { host: 'any-account.blob.core.windows.net', what: 'objects' }, // Azure Blob Storage, Put Blob
  { host: 'content.dropboxapi.com', what: 'files' }, // Dropbox API, /files/upload
  { host: 'www.googleapis.com', what: 'files' }, // Google Drive API, files.create
  { host: 'graph.microsoft.com', what: 'files and mail' }, // Microsoft Graph
  { host: 'registry.npmjs.org', what: 'packages' }, // npm-publish(1)
  { host: 'upload.pypi.org', what: 'packages' }, // PyPI, legacy upload API
  { host: 'crates.io', what: 'packages' }, // The Cargo Book, registry web API
  { host: 'rubygems.org', what: 'packages' }, // RubyGems.org API
  { host: 'registry-1.docker.io', what: 'images' }, // OCI distribution specification
  { host: 'ghcr.io', what: 'images' },
  { host: 'huggingface.co', what: 'models and data sets' }, // Hub, uploading files
];
