// A back end that takes Hallpass tokens. It follows the Hallpass server in the background, and asks it about no request:
// whoever signs out there is refused here a moment later.

import { Verifier } from '@hallpass/verifier';
import { requireUser } from '@hallpass/verifier/express';
import express from 'express';

const stop = (why) => {
  console.error(why);
  process.exit(1);
};

if (process.argv.length > 2) stop('it takes no arguments: README.md names the variables that it reads');
const { HALLPASS_CLIENT_ID, HALLPASS_CLIENT_SECRET } = process.env;
for (const [name, value] of Object.entries({ HALLPASS_CLIENT_ID, HALLPASS_CLIENT_SECRET })) {
  if (!value) stop(`\`${name}\` is not set: \`hallpass clients create orders\` prints it`);
}
const port = process.env.PORT || '9000';
if (!/^\d+$/.test(port) || Number(port) > 65535) stop(`\`PORT\` is \`${port}\`: it has to be a number up to 65535`);

const verifier = new Verifier({
  issuer: process.env.HALLPASS_ISSUER || 'http://localhost:8000',
  clientId: HALLPASS_CLIENT_ID,
  clientSecret: HALLPASS_CLIENT_SECRET,
  baseUrl: process.env.HALLPASS_BASE_URL || undefined,
  onError: (error) => console.error(`${error.code}: ${error.message}`),
});

const app = express();
app.get('/', (_req, res) => res.send('open to everybody\n'));
// For whoever is signed in.
app.get('/orders', requireUser(verifier), (req, res) => res.json({ account: req.user.sub, orders: [] }));
// For accounts with the role `support`.
app.get('/refunds', requireUser(verifier, { role: 'support' }), (_req, res) => res.json({ refunds: [] }));
// For whoever runs it: whether it is known what was taken back.
app.get('/ready', (_req, res) => res.status(verifier.current ? 200 : 503).json({ current: verifier.current }));

// It serves in any case: until Hallpass answers, requests with a token get 503 and try again.
verifier.start().catch((error) => console.error(error.message));
const server = app.listen(Number(port), '127.0.0.1', (error) => {
  if (error) stop(`cannot listen on port ${port}: ${error.message}`);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    verifier.close();
    server.close();
  });
}
