/** For `node --import`: the sources as they are, in threads as well, which tsx's own entry leaves out. */
import { register } from 'tsx/esm/api';

register();
