import { showFace } from '@/parts/face'
import Desk from './Desk.svelte'

void showFace(Desk)
