// `npm run dev`: builds the pages and shows them with the mock behind them, at ports 8480 (id) and 8481 (phone).

import '../scripts/build.ts';
import { Mock } from './mock.ts';

const mock = await Mock.start(undefined, [8480, 8481]);
console.log(`pages  ${mock.idUrl}/fr/\nphone  ${mock.phoneUrl}/app/   token ${mock.token}   SMS code ${mock.smsCode}`);
