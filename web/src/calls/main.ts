import { showFace } from '@/parts/face'
import Calls from './Calls.svelte'

void showFace(Calls)
