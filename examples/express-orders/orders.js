// A back end that takes Hallpass tokens. It asks the Hallpass server about no request, and all the same refuses a
// session a moment after it was ended.

import { Verifier } from '@hallpass/verifier';
import { requireUser } from '@hallpass/verifier/express';
import express from 'express';

const { HALLPASS_URL = 'http://localhost:8000', HALLPASS_CLIENT_ID, HALLPASS_CLIENT_SECRET, PORT = '9000' } = process.env;
if (!HALLPASS_CLIENT_ID || !HALLPASS_CLIENT_SECRET) {
  console.error('set `HALLPASS_CLIENT_ID` and `HALLPASS_CLIENT_SECRET`: `hallpass clients create orders` makes them');
  process.exit(2);
}

const verifier = new Verifier({
  issuer: HALLPASS_URL,
  clientId: HALLPASS_CLIENT_ID,
  clientSecret: HALLPASS_CLIENT_SECRET,
  onError: (error) => console.error(`${error.code}: ${error.message}`),
});

const app = express();
app.get('/', (_req, res) => res.send('open to everybody\n'));
// For whoever is signed in.
app.get('/orders', requireUser(verifier), (req, res) => res.json({ account: req.user.sub, orders: [] }));
// For accounts with the role `support`.
app.get('/refunds', requireUser(verifier, { role: 'support' }), (_req, res) => res.json({ refunds: [] }));
// For whoever sends traffic here: not before everything is known that was taken back.
app.get('/ready', (_req, res) => res.status(verifier.current ? 200 : 503).end());

// It serves in any case: until Hallpass answers, requests with a token get 503 and try again.
verifier.start().catch((error) => console.error(error.message));
const server = app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    verifier.close();
    server.close();
  });
}
